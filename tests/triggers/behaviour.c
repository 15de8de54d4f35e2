// Calls with known counts: THREADS threads call leaf() N times each; then fact(10), which calls itself, a handler of
// SIGUSR1, setjmp with a longjmp out of jumper() (with a USDT probe, behaviour:::jump), a vfork, and 200 forks of which each calls leaf() once.
//   behaviour N THREADS [FORKS]
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static jmp_buf place;
static volatile int handled;

__attribute__((noinline)) long leaf(long a, const char *s) { __asm__ volatile(""); return a * 2 + s[0]; }
__attribute__((noinline)) long fact(long n) { return n <= 1 ? 1 : n * fact(n - 1); }
// A USDT probe, behaviour:::jump, by hand: <sys/sdt.h>.
#define JUMP                                                                                                            \
	__asm__ volatile("990: nop\n.pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"                                  \
			 ".4byte 992f-991f,994f-993f,3\n991: .asciz \"stapsdt\"\n992: .balign 4\n993: .8byte 990b,0,0\n"         \
			 ".asciz \"behaviour\"\n.asciz \"jump\"\n.asciz \"-4@%0\"\n994: .balign 4\n.popsection" : : "r"(value))
__attribute__((noinline)) void jumper(int value) { JUMP; longjmp(place, value); }
static void handler(int number) { (void)number; handled += leaf(0, "a") == 'a'; }

static void *run(void *count)
{
	long sum = 0;
	for (long i = 0; i < (long)count; i++)
		sum += leaf(i, "x");
	return (void *)sum;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	long count = atol(argv[1]);
	int threads = atoi(argv[2]), forks = argc > 3 ? atoi(argv[3]) : 0;
	pthread_t all[16];
	signal(SIGUSR1, handler);
	for (int i = 0; i < threads; i++)
		pthread_create(&all[i], NULL, run, (void *)count);
	for (int i = 0; i < threads; i++) {
		void *sum;
		pthread_join(all[i], &sum);
		printf("%ld\n", (long)sum);
	}
	printf("%ld\n", fact(10));
	for (int i = 0; i < 7; i++)
		kill(getpid(), SIGUSR1);
	volatile int jumps = 0;
	if (setjmp(place) < 5)
		jumper(++jumps);
	int status = 0, sum = 0;
	for (int i = 0; i < forks; i++) {
		fflush(stdout);
		pid_t child = i % 2 ? fork() : vfork();
		if (child == 0) {
			if (i % 10 == 0)
				execl("/bin/sh", "sh", "-c", "exit 3", (char *)NULL);
			_exit(i % 2 ? (int)leaf(1, "!") : 7);
		}
		waitpid(child, &status, 0);
		sum += WEXITSTATUS(status);
	}
	printf("%d %d %d\n", handled, jumps, sum);
	return 3;
}
