/* Variables whose values in BEGIN are known: it has no arguments, it fires in the tracer.
 * $pgid and $sid are 0 where the leader lives in an outer pid namespace, as in a container. */
#pragma D option quiet

BEGIN
{
	printf("%d\n", arg0 | arg1 | arg2 | arg3 | arg4 | arg5 | arg6 | arg7 | arg8 | arg9);
	printf("%d %d %d %d\n", errno, epid, id, pset);
	printf("%d %d %d\n", uid == $uid && uid == $euid, gid == $gid && gid == $egid, pid == $pid);
	printf("%d %d %d\n", $pgid >= 0, $sid >= 0, $target);
	printf("%d %d\n", timestamp > 0, walltimestamp > timestamp);
	printf("%d\n", stackdepth < 128);
	printf("%d\n", rand() != rand() || rand() != rand());
	exit(0);
}
