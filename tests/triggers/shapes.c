/* Calls one function, whose first instructions are known, N times with 5 and 6, and prints the ns of CPU time a call took, which other
   work of the machine hardly changes: shapes FUNCTION N; or the ns that passed: shapes FUNCTION N wall. With one argument it waits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#define SHAPE(name, code)                                                          \
    __asm__(".text\n.globl " #name "\n.type " #name ", @function\n" #name ":\n"    \
            code "\n.size " #name ", . - " #name "\n");                            \
    void name(long, long)
SHAPE(endbr64_push, "endbr64\npush %rbp\nmov %rsp, %rbp\npop %rbp\nret");
SHAPE(push, "push %rbp\nmov %rsp, %rbp\npop %rbp\nret");
SHAPE(push_r12, "push %r12\npop %r12\nret");
SHAPE(nop5, "nopl 0(%rax, %rax)\nret");
SHAPE(test_je, "test %edi, %edi\nje 1f\n1: ret");
SHAPE(endbr64_ret, "endbr64\nret");
SHAPE(mov_ret, "mov %edi, %eax\nret");
SHAPE(sets_arg1, "endbr64\nmov $7, %esi\nsub $8, %rsp\njmp 1f\n1: add $8, %rsp\nret");
SHAPE(lock_inc, "lock incl -4(%rsp)\nret");
#else
#error these shapes are of x86-64
#endif

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*function)(long, long);
    } shapes[] = {{"endbr64_push", endbr64_push}, {"push", push},       {"push_r12", push_r12}, {"nop5", nop5},
                  {"test_je", test_je},           {"endbr64_ret", endbr64_ret}, {"mov_ret", mov_ret},
                  {"sets_arg1", sets_arg1},     {"lock_inc", lock_inc}};
    if (argc == 2) {
        puts("waiting");
        fflush(stdout);
        pause();
    }
    if (argc < 3) return 2;
    clockid_t clock = argc > 3 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
    long count = atol(argv[2]);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (strcmp(argv[1], shapes[i].name)) continue;
        struct timespec before, after;
        clock_gettime(clock, &before);
        for (long n = 0; n < count; n++) shapes[i].function(5, 6);
        clock_gettime(clock, &after);
        long elapsed = (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec;
        printf("%.2f\n", (double)elapsed / (double)count);
        return 0;
    }
    return 2;
}
