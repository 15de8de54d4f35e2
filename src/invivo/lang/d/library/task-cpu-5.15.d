/* The same where the task itself has it: on x86 before Linux 5.16 (bcf9033e5449), elsewhere before that too. */

inline int __task_cpu[struct task_struct *t] = t->cpu;
