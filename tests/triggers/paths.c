// paths DEPTH [ROUNDS [MICROSECONDS]]: calls getppid(2) once at the end of each of the 2^DEPTH ways to call left() and
// right() one inside the other, so often, and sleeps so long after each round.
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STEP(name) \
	__attribute__((noinline, noclone)) void name(int depth) \
	{ \
		down(depth); \
		__asm__ volatile(""); /* not a jump: its caller stays on the stack */ \
	}

static void down(int depth);
STEP(left)
STEP(right)

__attribute__((noinline, noclone)) static void down(int depth)
{
	if (!depth) {
		syscall(SYS_getppid);
		return;
	}
	left(depth - 1);
	right(depth - 1);
	__asm__ volatile("");
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 1, rest = argc > 3 ? atoi(argv[3]) : 0;
	if (argc < 2) {
		fprintf(stderr, "usage: paths DEPTH [ROUNDS [MICROSECONDS]]\n");
		return 2;
	}
	for (int i = 0; i < rounds; i++) {
		down(atoi(argv[1]));
		if (rest)
			usleep(rest);
	}
	return 0;
}
