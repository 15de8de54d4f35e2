/*
 * The same before Linux 5.14 (2f064a59a11f), where the member had a plainer name.
 */

inline unsigned int __task_state[struct task_struct *t] = t->state;
