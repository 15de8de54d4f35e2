/* Locks in memory of the program's own, laid out as the kernel's. */
#pragma D option quiet

BEGIN
{
	this->m = (struct mutex *)alloca(sizeof (struct mutex));
	printf("%d %d\n", mutex_owned(this->m), mutex_owner(this->m) == NULL);
	this->m->owner.counter = (long)curthread | 1;
	printf("%d %d\n", mutex_owned(this->m), mutex_owner(this->m) == curthread);
	printf("%d %d\n", mutex_type_adaptive(this->m), mutex_type_spin(this->m));
	this->l = (rwlock_t *)alloca(sizeof (rwlock_t));
	printf("%d %d %d\n", rw_read_held(this->l), rw_write_held(this->l), rw_iswriter(this->l));
	this->l->raw_lock.cnts.counter = 0x600;
	printf("%d %d %d\n", rw_read_held(this->l), rw_write_held(this->l), rw_iswriter(this->l));
	this->l->raw_lock.cnts.counter = 0xff;
	printf("%d %d %d\n", rw_read_held(this->l), rw_write_held(this->l), rw_iswriter(this->l));
	this->l->raw_lock.cnts.counter = 0x300;
	printf("%d %d %d\n", rw_read_held(this->l), rw_write_held(this->l), rw_iswriter(this->l));
	exit(0);
}
