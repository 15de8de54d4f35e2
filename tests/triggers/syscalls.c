// Two threads that make exactly N system calls getppid(2) each: trigger for counts that must be exact.
//   syscalls N
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static long count;

static void *storm(void *unused)
{
	(void)unused;
	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 2 || (count = atol(argv[1])) <= 0) {
		fprintf(stderr, "usage: syscalls N\n");
		return 2;
	}
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, storm, NULL))
			return 1;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
