/*
 * What a thread waits for, as the kernel keeps it: zero while it runs or could run.
 */

inline unsigned int __task_state[struct task_struct *t] = t->__state;
