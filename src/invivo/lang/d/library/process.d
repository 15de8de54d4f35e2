/*
 * psinfo_t: what proc(5) of the SVR4 family tells of a process, made from the task of one of its threads.
 *
 *	proc:::signal-send { printf("%d -> %d (%s)", pid, args[1]->pr_pid, args[1]->pr_fname); }
 *	BEGIN { trace(curpsinfo->pr_ppid); }
 *
 * Process ids are those of the pid namespace that invivo runs in, as ps(1) shows them there; user and group ids those of
 * the initial user namespace. Not to be had on Linux: pr_taskid, pr_projid, pr_poolid, pr_zoneid (there are no such
 * things), pr_pctcpu, pr_pctmem, pr_rssize (the kernel has no single number of them).
 *
 * pr_psargs, pr_argc, pr_argv and pr_envp lie in the process's own memory, which can only be read of the process that
 * runs: for others pr_psargs is pr_fname, and the rest zero. It is the memory that the process may have overwritten.
 */

typedef struct psinfo {
	int pr_nlwp;		/* threads */
	pid_t pr_pid;
	pid_t pr_ppid;
	pid_t pr_pgid;		/* process group */
	pid_t pr_sid;		/* session */
	uid_t pr_uid;
	uid_t pr_euid;
	gid_t pr_gid;
	gid_t pr_egid;
	uintptr_t pr_addr;	/* the struct task_struct */
	size_t pr_size;		/* address space in KiB */
	dev_t pr_ttydev;	/* controlling terminal, or PRNODEV */
	timestruc_t pr_start;	/* since 1970 */
	char pr_fname[16];	/* the program's name */
	char pr_psargs[80];	/* its arguments, separated by blanks */
	int pr_wstat;		/* for wait(2), once it has exited */
	int pr_argc;
	uintptr_t pr_argv;
	uintptr_t pr_envp;
	char pr_dmodel;		/* PR_MODEL_LP64 or PR_MODEL_ILP32 */
} psinfo_t;

inline dev_t PRNODEV = (dev_t)-1;
inline char PR_MODEL_ILP32 = 1;
inline char PR_MODEL_LP64 = 2;

/*
 * Whether the memory of a task is the memory that user addresses lead into now. At sched:::on-cpu, curthread is the
 * thread that comes, and they still lead into the memory of the one that goes.
 */
inline int __has_memory[struct task_struct *t] =
    t->mm != NULL && t->mm == curthread->mm && !(probename == "on-cpu" && probeprov == "sched");

/* Where the kernel has put the argument count of a new program; the arguments' addresses follow it. */
inline unsigned long __stack_start[struct task_struct *t] = t->mm->start_stack;

inline int __argc[struct task_struct *t] = *(int __user *)__stack_start[t];

/* The first 79 bytes of the arguments, which lie one after the other, each with a NUL at its end. */
function string __psargs(struct task_struct *t)
{
	unsigned long size = t->mm->arg_end - t->mm->arg_start;
	int last = size < 80 ? size : 79;
	char *text = copyin(t->mm->arg_start, last + 1);

	for (int i = 0; i < 79; i++) {
		if (i + 1 < last && text[i] == 0)
			text[i] = ' ';
	}
	text[last] = 0;
	return stringof(text);
}

translator psinfo_t < struct task_struct *T > {
	pr_nlwp = T->signal->nr_threads;
	pr_pid = __pid_of(T);
	pr_ppid = __pid_of(T->real_parent);
	pr_pgid = __pid_number(T->signal->pids[PIDTYPE_PGID]);
	pr_sid = __pid_number(T->signal->pids[PIDTYPE_SID]);
	pr_uid = T->cred->uid.val;
	pr_euid = T->cred->euid.val;
	pr_gid = T->cred->gid.val;
	pr_egid = T->cred->egid.val;
	pr_addr = (uintptr_t)T;
	pr_size = T->mm == NULL ? 0 : T->mm->total_vm * (PAGESIZE / 1024);
	pr_ttydev = T->signal->tty == NULL ? PRNODEV
	    : (T->signal->tty->driver->major << 20)
	    | (T->signal->tty->driver->minor_start + T->signal->tty->index);
	pr_start = xlate <timestruc_t> ((uint64_t)(walltimestamp - (timestamp - T->group_leader->start_time)));
	pr_fname = T->group_leader->comm;
	pr_psargs = __has_memory[T] ? __psargs(T) : stringof(T->group_leader->comm);
	pr_wstat = T->exit_code;
	pr_argc = __has_memory[T] ? __argc[T] : 0;
	pr_argv = __has_memory[T] ? __stack_start[T] + sizeof (long) : 0;
	pr_envp = __has_memory[T] ? __stack_start[T] + sizeof (long) * (2 + __argc[T]) : 0;
	pr_dmodel = T->mm != NULL && T->mm->task_size <= 0x100000000 ? PR_MODEL_ILP32 : PR_MODEL_LP64;
};

/* the running process */
inline psinfo_t *curpsinfo = xlate <psinfo_t *> (curthread);
