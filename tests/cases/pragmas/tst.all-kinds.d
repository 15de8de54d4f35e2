#pragma ident "@(#)a note"
#pragma D option quiet
#pragma D attributes Evolving/Evolving/Common twice
#pragma D binding "1.6" twice
#pragma D depends_on provider profile
#pragma D attributes Private/Private/ISA provider profile function
#pragma other programs know what this is

inline int twice[int n] = n * 2;

BEGIN
{
	printf("%d\n", twice[21]);
	exit(0);
}
