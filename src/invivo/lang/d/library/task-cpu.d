/* The CPU that a thread runs on, or ran on last. */

inline int __task_cpu[struct task_struct *t] = t->thread_info.cpu;
