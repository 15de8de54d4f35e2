/* Integer keys are printed as wide as their type asks. */
#pragma D option quiet

BEGIN
{
	@[5, 6L, (short)7, (char)8] = count();
	exit(0);
}
