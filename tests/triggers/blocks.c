/* Takes memory in all ways of the C library and gives some of it back, one block by another thread.
 *
 * Usage: blocks [COUNT]     COUNT blocks of 24 bytes more, all held
 *
 * Held at the end: keep_zeroed 7 * 10 * 100, keep_grown 11 * 500, keep_aligned 5 * 4096, keep_own 3 * 77, keep_small.
 */
#include <pthread.h>
#include <stdlib.h>

static void *volatile last;
static char own[1000];
static size_t own_used;

#define KEEP(name, times, take) \
	__attribute__((noinline)) static void name(void) \
	{ \
		for (long i = 0; i < (times); i++) \
			last = (take); \
		__asm__ volatile(""); \
	}

static void *aligned(void)
{
	void *block = NULL;
	return posix_memalign(&block, 4096, 4096) ? NULL : block;
}

__attribute__((noinline)) void *own_alloc(int unused, size_t size)
{
	void *block = own + own_used;
	own_used += size;
	__asm__ volatile("" : : "r"(unused));
	return block;
}

__attribute__((noinline)) void own_free(int unused, void *block)
{
	__asm__ volatile("" : : "r"(unused), "r"(block));
}

static long count;
KEEP(keep_zeroed, 7, calloc(10, 100))
KEEP(keep_grown, 11, realloc(malloc(100), 500))
KEEP(keep_aligned, 5, aligned())
KEEP(keep_own, 3, own_alloc(0, 77))
KEEP(keep_small, count, malloc(24))

static void *give_back(void *block)
{
	free(block);
	return NULL;
}

__attribute__((noinline)) static void churn(void)
{
	for (int i = 0; i < 20000; i++) {
		last = malloc(64);
		free(last);
	}
	free(realloc(calloc(3, 50), 4000));
	own_free(0, own_alloc(0, 100));
	free(NULL);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	count = argc > 1 ? atol(argv[1]) : 0;
	keep_zeroed();
	keep_grown();
	keep_aligned();
	keep_own();
	keep_small();
	churn();
	if (pthread_create(&thread, NULL, give_back, aligned_alloc(64, 6400)))
		return 1;
	return pthread_join(thread, NULL);
}
