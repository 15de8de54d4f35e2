/* At the end a row has the key in 50 columns and the value in 16. */
#pragma D option quiet

BEGIN
{
	@calls["read"] = sum(2);
	@calls["write"] = sum(-10);
	exit(0);
}
