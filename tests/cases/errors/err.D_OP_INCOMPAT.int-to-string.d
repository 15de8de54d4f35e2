/* A string cannot become an int. */
/* line: 8 */

string s;

BEGIN
{
	s = 1;
}
