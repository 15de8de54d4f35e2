/* A global that is never assigned cannot be read. */
/* line: 6 */

BEGIN
{
	trace(nosuch);
}
