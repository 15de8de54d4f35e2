/* command: dtrace -q -xustackframes=2 -s cmd.ustackframes.d -c 'sleep 0.01' */
/* mask: \S+`\S+ */

syscall::clock_nanosleep:entry
/pid == $target/
{
	ustack();
}
