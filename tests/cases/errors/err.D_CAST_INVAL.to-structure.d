/* A number is no structure. */
/* line: 10 */

struct point {
	int x;
};

BEGIN
{
	trace((struct point)5);
}
