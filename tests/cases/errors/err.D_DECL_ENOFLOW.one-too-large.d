/* An enumerator fits an int. */
/* line: 3 */
enum sizes { SMALL, LARGE = 2147483648 };

BEGIN
{
	exit(0);
}
