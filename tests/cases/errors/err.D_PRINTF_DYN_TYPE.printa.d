/* In printa() the keys say what each * stands for. */
/* line: 6 */

BEGIN
{
	@["a", 2] = count(); printa("%*d", @);
}
