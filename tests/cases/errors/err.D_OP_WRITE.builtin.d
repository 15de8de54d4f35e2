/* A builtin variable cannot be assigned to. */
/* line: 6 */

BEGIN
{
	pid = 1;
}
