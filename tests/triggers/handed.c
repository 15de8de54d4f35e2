// A thread waits for a page until another, on the same CPU, has called the same function: of that page it is handed
// the content only then (userfaultfd(2)).
//   handed COUNT
// COUNT times: one thread calls take("the one that waits"), whose page is absent; while it waits there, the other calls
// take("the one that hands over"), whose page is there, and brings the first one's. Prints nothing; ends with 77 where
// the kernel gives no userfaultfd.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *absent;
static int count;

void __attribute__((noinline, noclone)) take(const char *string)
{
	__asm__ volatile("" : : "r"(string) : "memory");
}

static void check(int holds)
{
	if (!holds)
		exit(1);
}

static void *wait_for_pages(void *unused)
{
	for (int i = 0; i < count; i++) {
		take(absent + 4096 * i);
		// Untraced, it is this that waits.
		check(*(volatile char *)(absent + 4096 * i) == 't');
	}
	return unused;
}

int main(int argc, char **argv)
{
	static char page[4096] __attribute__((aligned(4096))) = "the one that waits";
	cpu_set_t one;
	pthread_t waiting;
	count = argc > 1 ? atoi(argv[1]) : 1;
	int cpu = sched_getcpu();
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	check(cpu >= 0 && !sched_setaffinity(0, sizeof one, &one));
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return 77;
	absent = mmap(0, 4096L * count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register range = {
		.range = { (unsigned long)absent, 4096L * count }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	check(absent != MAP_FAILED && !ioctl(fd, UFFDIO_REGISTER, &range));
	check(!pthread_create(&waiting, 0, wait_for_pages, 0));
	for (int i = 0; i < count; i++) {
		struct uffd_msg fault;
		check(read(fd, &fault, sizeof fault) == sizeof fault && fault.event == UFFD_EVENT_PAGEFAULT);
		take("the one that hands over");
		struct uffdio_copy copy = { .dst = fault.arg.pagefault.address & -4096UL, .src = (unsigned long)page, .len = 4096 };
		check(!ioctl(fd, UFFDIO_COPY, &copy));
	}
	pthread_join(waiting, 0);
	return 0;
}
