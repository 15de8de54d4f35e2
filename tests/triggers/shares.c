/* Spends 70, 20 and 10 percent of its time in three functions, and prints its seconds on the processor.
 *
 * Usage: shares ROUNDS
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static volatile uint64_t sink;

#define WORK(name) \
	__attribute__((noinline)) static void name(long count) \
	{ \
		for (long i = 0; i < count; i++) \
			sink += i * i; \
	}

WORK(seventy)
WORK(twenty)
WORK(ten)

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 1000;
	for (long i = 0; i < rounds; i++) {
		seventy(70000);
		twenty(20000);
		ten(10000);
	}
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	printf("%.3f\n", usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	return 0;
}
