/* $1 without an argument. */
/* line: 6 */

BEGIN
{
	trace($1);
}
