/* Spends 70, 20 and 10 parts of its work in three functions; prints its seconds on the processor, and then those that
 * it spent in each of the three.
 *
 * Work is not time: one loop may be slower than another of the same instructions, by where it lies. And the rounds are
 * of many lengths: were they of one, a sampler whose period is nearly a multiple of it would fire in step with them, and
 * see the same function again and again.
 *
 * Usage: shares N, which does N times 100,000 steps of work
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

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

static double used(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	long left = (argc > 1 ? atol(argv[1]) : 1000) * 10000;
	double spent[3] = {0};
	uint32_t random = 1;
	while (left > 0) {
		random = random * 1664525 + 1013904223; // Numerical Recipes' generator
		long part = 50000 + (random >> 16) % 100001;
		double moments[4] = {used()};
		seventy(7 * part);
		moments[1] = used();
		twenty(2 * part);
		moments[2] = used();
		ten(part);
		moments[3] = used();
		for (int i = 0; i < 3; i++)
			spent[i] += moments[i + 1] - moments[i];
		left -= part;
	}
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	printf("%.3f %.6f %.6f %.6f\n", usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6, spent[0], spent[1], spent[2]);
	return 0;
}
