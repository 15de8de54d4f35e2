/* A number other than 0 cannot become a string. */
/* line: 8 */

string s;

BEGIN
{
	s = 1;
}
