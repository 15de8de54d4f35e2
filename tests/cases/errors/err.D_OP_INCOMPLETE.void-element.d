/* A void * has none. */
/* line: 3 */
BEGIN { x = (void *)curthread; trace(x[1]); }
