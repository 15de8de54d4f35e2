/* With aggsortrev the highest come first. */
#pragma D option quiet

#pragma D option aggsortrev

BEGIN
{
	@["a"] = sum(1);
	@["b"] = sum(3);
	@["c"] = sum(2);
	printa("%s ", @);
	printf("\n");
	exit(0);
}
