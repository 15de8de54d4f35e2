/* Types of the kernel by name. */
/* needs: kernel */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", sizeof (pid_t), sizeof (struct task_struct *), sizeof (struct list_head));
	printf("%d %d\n", offsetof(struct list_head, prev), sizeof (curthread->comm));
	exit(0);
}
