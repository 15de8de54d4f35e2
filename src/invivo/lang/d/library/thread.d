/*
 * lwpsinfo_t: what is told of one thread ("lightweight process"), made from its task.
 *
 *	sched:::off-cpu { @[args[0]->pr_lwpid, args[0]->pr_pri] = count(); }
 *	sched:::off-cpu /curlwpsinfo->pr_state == SSLEEP/ { @[execname] = count(); }
 *
 * Not to be had on Linux: pr_wchan (what a thread waits for has no address of its own), pr_stype, pr_oldpri,
 * pr_lgrp. pr_syscall needs registers that the kernel keeps for threads in system calls only: use a syscall probe.
 */

typedef struct lwpsinfo {
	int pr_flag;		/* PR_STOPPED, PR_ISSYS */
	id_t pr_lwpid;		/* thread id */
	uintptr_t pr_addr;	/* the struct task_struct */
	char pr_state;		/* SRUN ... */
	char pr_sname;		/* the same as a letter */
	char pr_nice;		/* -20 to 19 */
	int pr_pri;		/* the kernel's own: 0 to 99 for realtime, 100 to 139 for others */
	timestruc_t pr_start;	/* since 1970 */
	char pr_clname[8];	/* scheduling policy, as ps -o class shows it */
	char pr_name[16];	/* the thread's name */
	processorid_t pr_onpro;		/* the CPU that it runs on, or ran on last */
	processorid_t pr_bindpro;	/* the one CPU that it may run on, or PBIND_NONE */
	psetid_t pr_bindpset;		/* PS_NONE: Linux has no processor sets */
} lwpsinfo_t;

inline int PR_STOPPED = 0x00000001;
inline int PR_ISSYS = 0x00001000;	/* a thread of the kernel */

inline char SSLEEP = 1;
inline char SRUN = 2;
inline char SZOMB = 3;
inline char SSTOP = 4;
inline char SIDL = 5;		/* being made */
inline char SONPROC = 6;
inline char SWAIT = 7;		/* never on Linux */

inline processorid_t PBIND_NONE = -1;
inline psetid_t PS_NONE = -1;

/* include/linux/sched.h: stopped or traced, zombie or dead, new; a thread of the kernel. */
inline int __TASK_STOPPED_OR_TRACED = 0x0c;
inline int __TASK_EXITED = 0x30;
inline int __TASK_NEW = 0x800;
inline int __PF_KTHREAD = 0x00200000;

inline char __lwp_state[struct task_struct *t] =
    t->exit_state & __TASK_EXITED ? SZOMB
    : __task_state[t] == 0 ? (t->on_cpu ? SONPROC : SRUN)
    : __task_state[t] & __TASK_STOPPED_OR_TRACED ? SSTOP
    : __task_state[t] & __TASK_NEW ? SIDL
    : SSLEEP;

inline char __lwp_letter[char state] =
    state == SSLEEP ? 'S'
    : state == SRUN ? 'R'
    : state == SZOMB ? 'Z'
    : state == SSTOP ? 'T'
    : state == SIDL ? 'I'
    : state == SONPROC ? 'O'
    : 'W';

/* By the policies' numbers in sched(7). */
inline string __policy_name[unsigned int policy] =
    policy == 0 ? "TS"
    : policy == 1 ? "FF"
    : policy == 2 ? "RR"
    : policy == 3 ? "B"
    : policy == 5 ? "IDL"
    : policy == 6 ? "DLN"
    : policy == 7 ? "EXT"
    : "?";

translator lwpsinfo_t < struct task_struct *T > {
	pr_flag = (T->flags & __PF_KTHREAD ? PR_ISSYS : 0)
	    | (__task_state[T] & __TASK_STOPPED_OR_TRACED ? PR_STOPPED : 0);
	pr_lwpid = __tid_of(T);
	pr_addr = (uintptr_t)T;
	pr_state = __lwp_state[T];
	pr_sname = __lwp_letter[__lwp_state[T]];
	pr_nice = T->static_prio - 120;
	pr_pri = T->prio;
	pr_start = xlate <timestruc_t> ((uint64_t)(walltimestamp - (timestamp - T->start_time)));
	pr_clname = __policy_name[T->policy];
	pr_name = T->comm;
	pr_onpro = __task_cpu[T];
	pr_bindpro = T->nr_cpus_allowed == 1 ? __task_cpu[T] : PBIND_NONE;
	pr_bindpset = PS_NONE;
};

/* the running thread */
inline lwpsinfo_t *curlwpsinfo = xlate <lwpsinfo_t *> (curthread);
