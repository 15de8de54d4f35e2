/* In printa() the keys say what each * stands for. */
/* line: 6 */

BEGIN
{
	@[1] = count(); printa("%@*.*d", @);
}
