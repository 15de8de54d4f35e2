/* A declared name belongs to no module. */
/* line: 3 */
int vmlinux`x;
