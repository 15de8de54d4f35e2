/* The kernel has no such variable. */
/* line: 3 */
BEGIN { trace(`no_such_symbol_here); }
