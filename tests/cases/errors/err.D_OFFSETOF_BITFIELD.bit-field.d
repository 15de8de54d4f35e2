/* A bit-field begins at no byte. */
/* line: 3 */
BEGIN { trace(offsetof(struct task_struct, in_execve)); }
