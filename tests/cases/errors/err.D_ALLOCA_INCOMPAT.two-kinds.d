/* A pointer leads into alloca()'s memory or elsewhere, always. */
/* line: 7 */

BEGIN
{
	p = (char *)4096;
	p = (char *)alloca(8);
}
