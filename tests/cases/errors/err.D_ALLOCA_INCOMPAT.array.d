/* A variable holds alloca() memory, or other addresses, not both. */
/* line: 3 */
BEGIN { p = (char *)alloca(8); p = (char *)curthread; }
