/* -> follows a pointer. */
/* line: 3 */
BEGIN { trace(execname->x); }
