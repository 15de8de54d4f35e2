/*
 * The kernel's locks, as the running thread finds them.
 *
 *	rawtp:lock::contention_begin /mutex_owner((struct mutex *)arg0) != NULL/ { @[mutex_owner((struct mutex *)arg0)->comm] = count(); }
 *
 * A mutex keeps its owner, and flags in the address's low bits (kernel/locking/mutex.h). A reader-writer lock counts its
 * readers above bit 9; its low byte is full while a writer has it, bit 8 is set while one waits (asm-generic/qrwlock.h).
 */

/* the thread that holds a mutex, or NULL */
function struct task_struct *mutex_owner(struct mutex *lock)
{
	return (struct task_struct *)(lock->owner.counter & ~7);
}

/* whether the running thread holds a mutex */
function int mutex_owned(struct mutex *lock)
{
	return mutex_owner(lock) == curthread;
}

/* 1: a thread that waits for a mutex of Linux spins while the owner runs, and sleeps otherwise */
function int mutex_type_adaptive(struct mutex *lock)
{
	return 1;
}

/* 0: see mutex_type_adaptive */
function int mutex_type_spin(struct mutex *lock)
{
	return 0;
}

/* whether readers hold a reader-writer lock */
function int rw_read_held(rwlock_t *lock)
{
	return (lock->raw_lock.cnts.counter & ~0x1ff) != 0;
}

/* whether a writer holds a reader-writer lock */
function int rw_write_held(rwlock_t *lock)
{
	return (lock->raw_lock.cnts.counter & 0xff) == 0xff;
}

/* whether a writer holds a reader-writer lock, or waits for it */
function int rw_iswriter(rwlock_t *lock)
{
	return (lock->raw_lock.cnts.counter & 0x1ff) != 0;
}
