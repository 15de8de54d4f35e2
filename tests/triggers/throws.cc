// throws N: N calls of each of three functions, of which every seventh ends by an exception; prints how many did.
// plain() returns by ret, jumps() by a jump into another function, and chooses() has a switch;
// for_c() is a function for C that ends by such a jump.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

struct Guard { // so that an exception has something to do here on its way
	const char *name;
	~Guard() { asm volatile("" ::: "memory"); }
};

extern "C" __attribute__((noinline)) int leaf(int i) {
	asm volatile("");
	return i + 1;
}

extern "C" __attribute__((noinline)) int fails(int i) {
	if (i % 7 == 5)
		throw std::runtime_error(std::to_string(i));
	return i;
}

extern "C" __attribute__((noinline)) int plain(int i) {
	Guard guard{"plain"};
	return fails(i) + 2;
}

__attribute__((noinline)) int jumps(int i) {
	int found;
	{
		Guard guard{"jumps"};
		found = fails(i) * 3;
	}
	return leaf(found);
}

extern "C" __attribute__((noinline)) int for_c(int i) {
	asm volatile("");
	return leaf(i * 2);
}

extern "C" __attribute__((noinline)) int chooses(int i) {
	Guard guard{"chooses"};
	switch (i % 8) {
	case 0: return fails(i) + leaf(1);
	case 1: return fails(i) - leaf(2);
	case 2: return fails(i) * leaf(3);
	case 3: return fails(i) ^ leaf(4);
	case 4: return fails(i) | leaf(5);
	case 5: return fails(i) & leaf(6);
	case 6: return fails(i) << (leaf(7) & 3);
	default: return fails(i) >> 1;
	}
}

int main(int, char **argv) {
	int caught = 0;
	for (int i = 0; i < std::atoi(argv[1]); i++)
		for (auto function : {plain, jumps, chooses})
			try {
				function(for_c(i) / 2);
			} catch (const std::exception &) {
				caught++;
			}
	std::printf("%d\n", caught);
}
