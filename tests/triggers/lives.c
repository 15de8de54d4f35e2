// A life with known events: FORKS children that exit with status 7, then SIGNALS times SIGUSR1 sent to itself, then exit 3.
//   lives FORKS SIGNALS
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void ignore(int number) { (void)number; }

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	signal(SIGUSR1, ignore);
	for (int i = 0; i < atoi(argv[1]); i++) {
		pid_t child = fork();
		if (child == 0)
			_exit(7);
		waitpid(child, NULL, 0);
	}
	for (int i = 0; i < atoi(argv[2]); i++)
		kill(getpid(), SIGUSR1);
	return 3;
}
