/* command: dtrace -q -s cmd.user-frames.d -c 'sleep 0.01' */
/* mask: libc.so.6`\S+ * */
/* What ucaller yields is the second of the frames, of which there are so many as ustackdepth says. */

syscall::clock_nanosleep:entry
/pid == $target/
{
	printf("%d ", ustackdepth >= 2);
	usym(ucaller);
	ustack(2);
}
