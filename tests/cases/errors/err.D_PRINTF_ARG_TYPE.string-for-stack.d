/* %k is for stacks. */
/* line: 3 */
BEGIN { printf("%k", execname); }
