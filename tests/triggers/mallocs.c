/* Takes 31 blocks of 5000 bytes, each of which takes a millisecond, and gives 17 of them back. */
#include <stdlib.h>
#include <time.h>

__attribute__((noinline, noclone, used)) void *slow_block(int size) {
    struct timespec pause = {0, 1000000};
    nanosleep(&pause, NULL);
    return malloc(size);
}

int main(void) {
    void *volatile blocks[31];
    for (int i = 0; i < 31; i++) blocks[i] = slow_block(5000);
    for (int i = 0; i < 17; i++) free(blocks[i]);
    return 0;
}
