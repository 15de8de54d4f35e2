/* A bit-field's size is no number of bytes. */
/* line: 3 */
BEGIN { trace(sizeof (curthread->in_execve)); }
