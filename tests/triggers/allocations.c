/* Allocates blocks of 1000 bytes: every third in keep(), which does not free it, the others in release(), which does.
 *
 * Usage: allocations COUNT
 */
#include <stdlib.h>
#include <string.h>

static void *volatile last;

__attribute__((noinline)) static int keep(void)
{
	last = malloc(1000);
	memset(last, 1, 1000);
	return 1;
}

__attribute__((noinline)) static int release(void)
{
	last = malloc(1000);
	memset(last, 2, 1000);
	free(last);
	return 2;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 300;
	int sum = 0;
	for (long i = 0; i < count; i++)
		sum += i % 3 == 0 ? keep() : release();
	return sum == 0;
}
