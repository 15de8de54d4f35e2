/* Assigning 0 deletes the element; what is not there reads 0. */
#pragma D option quiet

BEGIN
{
	a["k"] = 3;
	a["k"] -= 3;
	printf("%d\n", a["k"]);
	a["k"]++;
	printf("%d\n", a["k"]);
	a["k"] = 0;
	printf("%d\n", a["k"]++);
	printf("%d\n", a["k"]);
	exit(0);
}
