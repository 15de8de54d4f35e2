/* An action has no value to trace. */
/* line: 6 */

BEGIN
{
	trace(printf("x"));
}
