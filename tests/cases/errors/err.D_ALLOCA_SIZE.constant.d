/* alloca() has a limit. */
/* line: 3 */
BEGIN { p = alloca(1000000); }
