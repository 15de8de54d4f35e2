/* void has no size. */
/* line: 6 */

BEGIN
{
	trace(sizeof (void));
}
