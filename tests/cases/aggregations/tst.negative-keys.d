/* Keys are compared as unsigned numbers of their size, by aggsortkey and where values are equal. */
#pragma D option quiet

BEGIN
{
	@i[-2] = sum(1);
	@i[-1] = sum(1);
	@i[0] = sum(1);
	@i[3] = sum(1);
	@l["a", -7L] = sum(2);
	@l["a", 5L] = sum(2);
	@l["b", -7L] = sum(1);
	@c[(char)-2] = sum(-4);
	@c[(char)2] = sum(4);
	printa("%d ", @i);
	printa("%s%d ", @l);
	printa("%d ", @c);
	setopt("aggsortkey");
	setopt("aggsortkeypos", "1");
}

BEGIN
{
	printf("\n");
	printa("%d ", @i);
	printa("%s%d ", @l);
	printa("%d ", @c);
	printf("\n");
	exit(0);
}
