/* In printa() a * is the next key, which is a width or precision then. */
#pragma D option quiet

BEGIN
{
	@[6, 100] = sum(1);
	@[-5, 200] = sum(2);
	printa("[%*d]\n", @);
	printa("[%-*d]\n", @);
	printa("[%@*d] [%d]\n", @);
	@s["abcdef", 3, "text"] = count();
	printa("%s [%.*s]\n", @s);
	exit(0);
}
