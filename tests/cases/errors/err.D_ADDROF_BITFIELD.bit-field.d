/* A bit-field has no address. */
/* line: 3 */
BEGIN { this->p = &curthread->in_execve; }
