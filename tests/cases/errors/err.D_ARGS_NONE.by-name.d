/* BEGIN has no arguments with names, either. */
/* line: 6 */

BEGIN
{
	trace(args.fd);
}
