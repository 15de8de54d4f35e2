/* needs: kernel */
/* The address of a function of the kernel has its type, and its name. */
#pragma D option quiet

BEGIN
{
	f = &`vfs_read;
	printf("%a %a %d\n", (uintptr_t)f, (uintptr_t)&vmlinux`vfs_write, f == `vfs_read);
	exit(0);
}
