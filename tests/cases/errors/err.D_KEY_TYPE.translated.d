/* What a translator makes is no key as a whole. */
/* line: 6 */

BEGIN
{
	@[curpsinfo] = count();
}
