/* needs: kernel */
/* BEGIN fires in the tracer, which descends from itself and its parent. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", progenyof($pid), progenyof(pid), progenyof($ppid), progenyof(0x7fffffff));
	printf("%d\n", d_path(&curthread->fs->pwd) == cwd && d_path(&curthread->fs->root) == root);
	exit(0);
}
