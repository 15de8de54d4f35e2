/* Calls an IFUNC symbol of its own 31 times, whose last argument is the sum so far, and strlen 23 times with a known text
   that it then prints the length of. */
#include <stdio.h>
#include <string.h>

static int add_slowly(int sum, int number) {
    __asm__ volatile("" : "+r"(number));
    return sum + number;
}

static int add_fast(int sum, int number) {
    __asm__ volatile("nop" : "+r"(number));
    return sum + number;
}

static volatile int wanted = 1;

static int (*choose(void))(int, int) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse2") ? add_fast : add_slowly;
}

int add(int sum, int number) __attribute__((ifunc("choose")));

int main(void) {
    size_t (*volatile length)(const char *) = strlen;
    const char *volatile text = "a text that nobody else measures";
    int sum = 0;
    size_t total = 0;
    for (int i = 0; i < 31; i++) sum = add(sum, wanted);
    for (int i = 0; i < 23; i++) total += length(text);
    printf("%d %zu 10987654321\n", sum, total);
    return 0;
}
