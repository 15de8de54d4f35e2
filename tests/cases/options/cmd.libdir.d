/* command: dtrace -q -xlibdir=lib -s cmd.libdir.d */

BEGIN
{
	printf("%d %s\n", answer, greeting);
	exit(0);
}
