/* The numbers from 1 to 10: mean 5.5, mean square 38.5, both rounded down, so a deviation of sqrt(38 - 25). */
#pragma D option quiet

BEGIN
{
	for (int i = 1; i <= 10; i++) {
		@n = count();
		@s = sum(i);
		@a = avg(i);
		@lo = min(i);
		@hi = max(i);
		@d = stddev(i);
	}
	printa("%@d ", @n);
	printa("%@d ", @s);
	printa("%@d ", @a);
	printa("%@d ", @lo);
	printa("%@d ", @hi);
	printa("%@d\n", @d);
	exit(0);
}
