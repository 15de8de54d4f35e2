/* Aggregations are printed in the order of the text, each after an empty line. */
#pragma D option quiet

BEGIN
{
	@second["x"] = count();
	@first["y"] = max(7);
	exit(0);
}
