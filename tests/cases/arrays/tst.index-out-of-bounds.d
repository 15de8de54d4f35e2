/* An index that is known only at run time, and lies outside, is a fault: it ends the clause. */
#pragma D option quiet

int a[3];
int n;

ERROR { printf("fault %d value %d\n", arg4, arg5); }
BEGIN { n = 3; a[n] = 1; printf("not reached\n"); }
BEGIN { n = -1; trace(a[n]); printf("not reached\n"); }
BEGIN { n = 2; a[n] = 7; printf("%d\n", a[2]); exit(0); }
