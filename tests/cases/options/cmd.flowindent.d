/* command: dtrace -xflowindent -s cmd.flowindent.d -c 'sleep 0.01' */
/* The one time that sleep(1) sleeps, inside of it the timer that wakes it. */

BEGIN
{
}

syscall::clock_nanosleep:
/pid == $target/
{
}

syscall::clock_nanosleep:
/pid == $target/
{
	self->is_inside = probename == "entry";
}

sdt:timer::hrtimer_start
/self->is_inside && !n++/
{
}
