/* The keys of an array are of one kind, too. */
/* line: 7 */

BEGIN
{
	a["one"] = 1;
	a[1] = 1;
}
