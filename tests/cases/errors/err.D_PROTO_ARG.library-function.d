/* The arguments of functions of the library are checked like all others. */
/* line: 6 */

BEGIN
{
	x = progenyof("init");
}
