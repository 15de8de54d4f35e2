/* A predicate is a number. */
/* line: 5 */

BEGIN
/"yes"/
{
	exit(0);
}
