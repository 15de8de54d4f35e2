/* Options that may change do so at once, for what is shown after. */
BEGIN
{
	@a["x"] = count();
	@a["y"] = count();
	@a["y"] = count();
	trace("loud");
}

BEGIN
{
	setopt("quiet");
}

BEGIN
{
	setopt("aggsortrev", "yes");
	printf("still\n");
	printa("%s %@d\n", @a);
	exit(0);
}
