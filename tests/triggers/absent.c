// Four threads give functions addresses in pages that are not in memory at that moment.
//   absent COUNT
// take(string, number) is called COUNT times by each thread: the string is "thread N crosses into the next page", and
// begins ten bytes before a page's end; *number is N * 1000003. Prints nothing.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int count;

void __attribute__((noinline, noclone)) take(const char *string, const long *number)
{
	__asm__ volatile("" : : "r"(string), "r"(number) : "memory");
}

static void *run(void *argument)
{
	long number = (long)argument;
	int fd = memfd_create("pages", 0);
	if (fd < 0 || ftruncate(fd, 3 * 4096))
		exit(1);
	char *pages = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	sprintf(pages + 4096 - 10, "thread %ld crosses into the next page", number);
	long product = number * 1000003;
	memcpy(pages + 8192, &product, sizeof product);
	for (int i = 0; i < count; i++) {
		madvise(pages, 3 * 4096, MADV_DONTNEED);
		take(pages + 4096 - 10, (const long *)(pages + 8192));
	}
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t threads[4];
	count = argc > 1 ? atoi(argv[1]) : 1;
	for (long i = 0; i < 4; i++)
		pthread_create(&threads[i], 0, run, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], 0);
	return 0;
}
