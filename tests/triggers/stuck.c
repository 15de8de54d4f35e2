// Threads that wait for a mutex which is never given back, or late.
//   stuck THREADS before     they wait at once; the first line on standard input lets them go, and the program ends
//   stuck THREADS after      they wait from the first line on; the second lets them go
// They wait in stuck(), the first thread in wait_for_line().
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) void stuck(void)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	__asm__ volatile("");
}

__attribute__((noinline)) void wait_for_line(void)
{
	char byte;
	while (read(0, &byte, 1) == 1 && byte != '\n')
		;
	__asm__ volatile("");
}

static void *thread(void *unused)
{
	stuck();
	return unused;
}

int main(int argc, char **argv)
{
	int count = argc == 3 ? atoi(argv[1]) : 0;
	pthread_t threads[count + 1];
	pthread_mutex_lock(&lock);
	if (argc == 3 && !strcmp(argv[2], "after"))
		wait_for_line();
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, thread, NULL))
			return 1;
	wait_for_line();
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
