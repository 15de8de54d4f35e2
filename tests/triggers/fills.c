/* Fills, copies and measures memory by the C library: fills ROUNDS. Prints how many rounds gave something else than they
 * must, and the pieces of memory are looked at byte by byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char a[1024], b[1024];

int main(int argc, char **argv)
{
	unsigned random = 1, wrong = 0;
	for (int n = argc > 1 ? atoi(argv[1]) : 0; n > 0; n--) {
		random = random * 1103515245 + 12345;
		unsigned length = (random >> 8) % 512, offset = (random >> 20) % 64, bad = 0;
		memset(a, 0x11, sizeof a);
		memset(a + offset, 0xff, length);
		for (unsigned i = 0; i < sizeof a; i++)
			bad |= a[i] != (i >= offset && i < offset + length ? 0xff : 0x11);
		for (unsigned i = 0; i < sizeof b; i++)
			b[i] = (unsigned char)(i % 251 + 1);
		b[length] = 0;
		memcpy(a + offset, b, length);
		for (unsigned i = 0; i < length; i++)
			bad |= a[offset + i] != b[i];
		bad |= strlen((char *)b) != length || memchr(b, 0, sizeof b) != b + length;
		wrong += bad;
	}
	printf("%u\n", wrong);
	return 0;
}
