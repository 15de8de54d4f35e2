// What comes between a tracer's steps, again and again, until SIGTERM:
//   races threads     threads are made and end
//   races forks       children are forked, who call leaf() as the parent does; prints how many were killed by a signal
//   races execs       a second thread calls leaf(), and after SIGUSR1 executes the program anew
//   races naps        children are made by vfork, who sleep for half a second while their parent waits in the kernel
//   races spawns N    a second thread calls stepped() N times, while the first makes children by vfork; prints N
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int is_over;
static char **words;
__attribute__((noinline)) long leaf(long a) { __asm__ volatile(""); return a * 2; }
// Its first instruction is one that no tracer emulates.
__asm__(".globl stepped\n.type stepped, @function\nstepped: imul $3, %rdi, %rax\nret\n.size stepped, .-stepped\n");
long stepped(long a);
static void end(int number) { (void)number; is_over = 1; }

static void *once(void *nothing) { leaf(1); return nothing; }
static volatile int is_asked;
static void ask(int number) { (void)number; is_asked = 1; }
static void *again(void *nothing)
{
	while (!is_asked)
		leaf(usleep(100));
	execv("/proc/self/exe", words);
	return nothing;
}
static void *many(void *count)
{
	long sum = 0;
	for (long i = 0; i < (long)count; i++)
		sum += stepped(i);
	is_over = 1;
	return (void *)sum;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	long count = argc > 2 ? atol(argv[2]) : 0, killed = 0;
	pthread_t thread;
	words = argv;
	if (strcmp(mode, "execs"))
		signal(SIGTERM, end);
	signal(SIGUSR1, ask);
	if (!strcmp(mode, "spawns"))
		pthread_create(&thread, NULL, many, (void *)count);
	while (!is_over) {
		int status = 0;
		if (!strcmp(mode, "threads")) {
			pthread_create(&thread, NULL, once, NULL);
			pthread_join(thread, NULL);
		} else if (!strcmp(mode, "execs")) {
			pthread_create(&thread, NULL, again, NULL);
			pthread_join(thread, NULL);
		} else {
			pid_t child = strcmp(mode, "forks") ? vfork() : fork();
			if (child == 0) {
				if (!strcmp(mode, "naps")) {
					usleep(500000);
					_exit(0);
				}
				if (!strcmp(mode, "spawns"))
					execl("/bin/true", "true", (char *)NULL);
				_exit((int)leaf(3));
			}
			leaf(5);
			waitpid(child, &status, 0);
			killed += WIFSIGNALED(status);
		}
	}
	if (!strcmp(mode, "spawns")) {
		void *sum;
		pthread_join(thread, &sum);
		printf("%ld\n", (long)sum);
	}
	printf("%ld\n", killed);
	return 0;
}
