/* Answers each line of its input with the number of lines so far, through a function of its own and one of libc. */
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline, noclone, used)) int answer(int number) {
    void *block = malloc(number + 1);
    __asm__ volatile("" : "+r"(block));
    free(block);
    return number + 1;
}

int main(void) {
    char line[64];
    int number = 0;
    while (fgets(line, sizeof line, stdin)) {
        number = answer(number);
        printf("%d\n", number);
        fflush(stdout);
    }
    return 0;
}
