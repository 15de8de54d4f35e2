/* Byte orders: each value turned around, and back. */
#pragma D option quiet

BEGIN
{
	printf("%x %x\n", htons(0x1234), ntohs(0x3412));
	printf("%x %x\n", htonl(0x12345678), ntohl(0x78563412));
	printf("%x %x\n", htonll(0x123456789abcdef0), ntohll(0xf0debc9a78563412));
	printf("%x %x %d\n", htons(0x51234), htonl(1), ntohs(htons(65535)) == 65535);
	exit(0);
}
