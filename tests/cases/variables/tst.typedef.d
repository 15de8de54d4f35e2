/* A typedef is another name of its type. */
#pragma D option quiet

typedef unsigned char byte;
typedef byte octet;

octet b;

BEGIN
{
	b = 257;
	printf("%d %d %d\n", b, sizeof (octet), (byte)-1);
	exit(0);
}
