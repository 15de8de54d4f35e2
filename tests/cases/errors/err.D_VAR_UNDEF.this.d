/* Nor can a clause-local one. */
/* line: 5 */

BEGIN
/this->nosuch/
{
	exit(0);
}
