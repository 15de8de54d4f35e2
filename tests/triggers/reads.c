// Reads exactly SIZE bytes, COUNT times, from /dev/zero with read(2): sizes and counts known.
//   reads COUNT SIZE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: reads COUNT SIZE\n");
		return 2;
	}
	long count = atol(argv[1]), size = atol(argv[2]);
	char *buffer = malloc(size ? size : 1);
	int fd = open("/dev/zero", O_RDONLY);
	for (long i = 0; i < count; i++)
		if (syscall(SYS_read, fd, buffer, size) != size)
			return 1;
	return 0;
}
