// Computes for MS milliseconds at the bottom of 20 frames, and prints how long it was kept from that: the number of gaps
// of more than 20 us, their sum and the longest, in us.
//   gaps MS
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long gaps, sum, longest;

static long now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

__attribute__((noinline)) static void spin(long end)
{
	for (long last = now(), time; last < end; last = time) {
		time = now();
		if (time - last > 20000) {
			gaps++;
			sum += time - last;
			if (time - last > longest)
				longest = time - last;
		}
	}
}

__attribute__((noinline)) static int descend(int depth, long end)
{
	if (depth == 0)
		spin(end);
	else
		depth += descend(depth - 1, end);
	return depth;
}

int main(int argc, char **argv)
{
	descend(16, now() + (argc > 1 ? atol(argv[1]) : 1000) * 1000000L); // with main and what calls it, 20
	printf("%ld %ld %ld\n", gaps, sum / 1000, longest / 1000);
	return 0;
}
