/* Calls a function N times in all from T threads, and one 17 (or DEPTH) deep in itself:
   calls T N DEPTH. Functions of many shapes for the pid provider. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEPT __attribute__((noinline, noclone, used))

/* Each is one call of work(i), which returns 2 * i + 1. */
KEPT long work(long number) {
    __asm__ volatile("" : "+r"(number));
    return 2 * number + 1;
}

/* Ten arguments: the seventh and later ones lie on the stack. */
KEPT long ten(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j) {
    __asm__ volatile("" ::: "memory");
    return a + b + c + d + e + f + g + h + i + j;
}

KEPT long nested(long depth) {
    __asm__ volatile("" : "+r"(depth));
    return depth <= 0 ? 0 : 1 + nested(depth - 1);
}

static long threads = 1, total = 1;

/* The calls of one thread; those of all have the arguments 0 to N - 1. */
static void *run(void *number) {
    long sum = 0;
    for (long i = (long)number; i < total; i += threads) sum += work(i);
    return (void *)sum;
}

int main(int argc, char **argv) {
    if (argc > 1) threads = atol(argv[1]);
    if (argc > 2) total = atol(argv[2]);
    pthread_t started[64];
    for (long i = 0; i < threads; i++) pthread_create(&started[i], NULL, run, (void *)i);
    for (long i = 0; i < threads; i++) pthread_join(started[i], NULL);
    long depth = argc > 3 ? atol(argv[3]) : 17;
    printf("%ld %ld\n", ten(1, 20, 300, 4000, 50000, 600000, 7000000, 80000000, 900000000, 10000000000), nested(depth));
    return 0;
}
