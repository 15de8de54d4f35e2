/* Nor is it one of an array. */
/* line: 6 */

BEGIN
{
	x[curlwpsinfo] = 1;
}
