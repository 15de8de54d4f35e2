// Threads that wait in known functions, and tell how long by their own clock and the kernel's books.
//   waits MILLISECONDS FILE [-]      -: begins when a line comes on standard input
// wait_for_lock: for a mutex that another thread holds; wait_for_pipe: for a byte; wait_for_time: asleep;
// wait_for_disk: fsync(2) of FILE, 500 times. Prints a line for each: function, tid, wall-clock time, time on a processor
// and time ready but not running, the last two from /proc/thread-self/schedstat, all in nanoseconds.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long ms;
static const char *file;
static int ends[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void pause_ms(long milliseconds)
{
	struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000};
	nanosleep(&span, NULL);
}

__attribute__((noinline)) void wait_for_lock(void)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	__asm__ volatile("");
}

__attribute__((noinline)) void wait_for_pipe(void)
{
	char byte;
	if (read(ends[0], &byte, 1) != 1)
		abort();
	__asm__ volatile("");
}

__attribute__((noinline)) void wait_for_time(void)
{
	pause_ms(ms);
	__asm__ volatile("");
}

__attribute__((noinline)) void wait_for_disk(void)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; i < 500; i++)
		if (write(fd, "x", 1) != 1 || fsync(fd))
			abort();
	close(fd);
	__asm__ volatile("");
}

static void books(unsigned long long found[3])
{
	struct timespec now;
	FILE *schedstat = fopen("/proc/thread-self/schedstat", "r");
	if (!schedstat || fscanf(schedstat, "%llu %llu", &found[1], &found[2]) != 2)
		abort();
	fclose(schedstat);
	clock_gettime(CLOCK_MONOTONIC, &now);
	found[0] = now.tv_sec * 1000000000ull + now.tv_nsec;
}

static const struct {
	const char *name;
	void (*wait)(void);
} doings[] = {{"lock", wait_for_lock}, {"pipe", wait_for_pipe}, {"time", wait_for_time}, {"disk", wait_for_disk}};

static void *measured(void *place)
{
	long which = (long)place;
	unsigned long long before[3], after[3];
	books(before);
	doings[which].wait();
	books(after);
	printf("wait_for_%s %ld %llu %llu %llu\n", doings[which].name, (long)syscall(SYS_gettid), after[0] - before[0],
	       after[1] - before[1], after[2] - before[2]);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[4];
	if (argc < 3 || (ms = atol(argv[1])) <= 0 || pipe(ends))
		return 2;
	if (argc > 3)
		getchar();
	file = argv[2];
	pthread_mutex_lock(&lock);
	for (long i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, measured, (void *)i))
			return 1;
	pause_ms(ms);
	pthread_mutex_unlock(&lock);
	pause_ms(ms / 2);
	if (write(ends[1], "x", 1) != 1)
		return 1;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
