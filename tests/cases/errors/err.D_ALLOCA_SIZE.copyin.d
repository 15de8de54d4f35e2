#pragma D option scratchsize=64
/* More than a firing has room for. */
/* line: 7 */

BEGIN
{
	copyin(0, 65);
}
