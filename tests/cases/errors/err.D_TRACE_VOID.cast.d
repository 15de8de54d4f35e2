/* A void has no value to trace. */
/* line: 3 */
BEGIN { trace((void)pid); }
