/* There are no clause-local arrays. */
/* line: 6 */

BEGIN
{
	this->a[1] = 1;
}
