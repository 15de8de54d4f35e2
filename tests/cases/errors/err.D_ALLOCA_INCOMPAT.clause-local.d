/* A pointer of the firing leads into alloca()'s memory or into the kernel, not into both. */
/* line: 4 */
this struct task_struct *p;
BEGIN { this->p = curthread; this->p = alloca(8); exit(0); }
