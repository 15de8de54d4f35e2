// thrower MILLISECONDS: two threads throw exceptions through 20 frames for so long.
// thrower wait: pauses inside of a handler, below 20 frames.
// thrower stop: stops itself, then throws once through 20 frames.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <vector>

static bool waits;

static int deep(int n) {
	if (n == 0) {
		try {
			throw std::runtime_error("innermost");
		} catch (const std::runtime_error &) {
			if (waits)
				pause();
			throw;
		}
	}
	std::vector<int> numbers(n + 1, n);
	std::sort(numbers.begin(), numbers.end());
	return deep(n - 1) + numbers[0];
}

static void work(int milliseconds) {
	auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
	do {
		try {
			deep(20);
		} catch (const std::exception &) {
		}
	} while (std::chrono::steady_clock::now() < end);
}

int main(int, char **argv) {
	waits = !std::strcmp(argv[1], "wait");
	int milliseconds = std::atoi(argv[1]);
	if (!std::strcmp(argv[1], "stop")) {
		raise(SIGSTOP);
		work(0);
		return 0;
	}
	if (waits)
		work(0);
	std::thread other(work, milliseconds);
	work(milliseconds);
	other.join();
}
