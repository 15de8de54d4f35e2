// deep FRAMES CALLS: calls getppid(2) that many times below so many frames, and prints the ns of CPU time of one call.
// Compile with -O1 -fomit-frame-pointer.
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long calls;

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

__attribute__((noinline, noclone)) double down(int n) {
	if (n > 0) {
		double result = down(n - 1);
		__asm__ volatile("");
		return result;
	}
	double start = now();
	for (long i = 0; i < calls; i++)
		syscall(SYS_getppid);
	return (now() - start) / calls;
}

int main(int argc, char **argv) {
	calls = atol(argv[2]);
	printf("%.1f\n", down(atoi(argv[1])));
	return 0;
}
