/* No name stands for two numbers. */
/* line: 3 */
enum letters { ALPHA, BETA, ALPHA };

BEGIN
{
	exit(0);
}
