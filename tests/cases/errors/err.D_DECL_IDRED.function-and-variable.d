/* A builtin variable is not declared again. */
/* line: 3 */
int pid; BEGIN { exit(0); }
