/* Minus, plus, complement and not. */
#pragma D option quiet

BEGIN
{
	x = 5;
	printf("%d %d %d %d %d\n", -x, +x, ~x, !x, !!x);
	printf("%d %d %d\n", - -x, ~~x, -~x);
	y = 0;
	printf("%d %d\n", !y, -y);
	exit(0);
}
