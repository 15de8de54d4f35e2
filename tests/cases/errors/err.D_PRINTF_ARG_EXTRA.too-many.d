/* An argument without its conversion. */
/* line: 8 */

BEGIN
{
	printf("%d\n",
	    1,
	    2);
}
