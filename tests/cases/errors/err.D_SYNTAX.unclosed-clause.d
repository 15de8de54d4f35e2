/* A clause without its closing brace. */
/* line: 5 */

BEGIN
{
	trace(1);
