/* Nor can a thread-local one. */
/* line: 7 */

BEGIN
{
	x = 1;
	trace(self->nosuch);
}
