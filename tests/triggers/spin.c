// spin MILLISECONDS [unlink | dlopen LIBRARY]: main calls outer, outer middle, middle inner, all with frame pointers.
// unlink: the program's file is deleted first. dlopen: half of the time is spent in the library's late_work(), which
// calls back.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FRAME __attribute__((noinline, optimize("no-omit-frame-pointer", "no-optimize-sibling-calls")))

static volatile unsigned long sink;

FRAME void inner(unsigned n) {
	sink += (unsigned long)__builtin_frame_address(0) & 1; // a leaf has no frame otherwise
	for (unsigned i = 0; i < n; i++)
		sink += i;
}

FRAME void middle(unsigned n) {
	inner(n);
	sink++;
}

FRAME void outer(unsigned n) {
	middle(n);
	sink++;
}

static long passed_ms(const struct timespec *start) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

FRAME int main(int argc, char **argv) {
	long wanted = atol(argv[1]);
	struct timespec start;
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (argc > 2 && !strcmp(argv[2], "unlink") && unlink(argv[0]))
		return 1;
	while (passed_ms(&start) < wanted / (argc > 3 ? 2 : 1))
		outer(10000);
	if (argc > 3) {
		void *library = dlopen(argv[3], RTLD_NOW);
		if (!library) {
			fprintf(stderr, "%s\n", dlerror());
			return 1;
		}
		void (*late_work)(void (*)(unsigned)) = (void (*)(void (*)(unsigned)))dlsym(library, "late_work");
		while (passed_ms(&start) < wanted)
			late_work(outer);
	}
	return 0;
}
