// turns stop: stops itself, then takes what turns a stack can take: a signal's handler, one on a stack of its own, the
// vDSO, a callback of the C library, frames whose size is known at run time only or that are aligned, longjmp.
#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define NI __attribute__((noinline))

static volatile int sink;
static jmp_buf back;
static char other_stack[65536];

NI static int compare(const void *a, const void *b) {
	return *(const int *)a - *(const int *)b;
}

NI static void sorts(void) {
	int numbers[] = {5, 3, 2, 9, 1};
	qsort(numbers, 5, sizeof(int), compare);
	sink += numbers[0];
}

NI static void grows(int n) {
	char *place = alloca(n);
	memset(place, n, n);
	sorts();
	sink += place[n - 1];
}

NI static void aligns(int n) {
	char place[64] __attribute__((aligned(64)));
	memset(place, n, sizeof place);
	grows(n);
	sink += place[n & 63];
}

static void handler(int number) {
	aligns(number);
}

NI static void jumps(int n) {
	if (n == 0)
		longjmp(back, 1);
	jumps(n - 1);
	sink++;
}

int main(void) {
	static struct sigaction here, elsewhere;
	stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
	struct timespec now;
	struct timeval day;
	raise(SIGSTOP);
	here.sa_handler = elsewhere.sa_handler = handler;
	elsewhere.sa_flags = SA_ONSTACK;
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &here, NULL);
	sigaction(SIGUSR2, &elsewhere, NULL);
	raise(SIGUSR1);
	raise(SIGUSR2);
	clock_gettime(CLOCK_MONOTONIC, &now);
	gettimeofday(&day, NULL);
	sink += time(NULL) & 1;
	aligns(100);
	if (!setjmp(back))
		jumps(5);
	return 0;
}
