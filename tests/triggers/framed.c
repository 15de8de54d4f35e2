/* Frames of many sizes, none with a frame pointer: built so that only .debug_frame tells how to leave them. */
#include <unistd.h>

__attribute__((noinline)) int innermost(int n) {
    volatile char room[104];
    room[n % 100] = 1;
    pause();
    return room[n % 100];
}

__attribute__((noinline)) int between(int n) {
    volatile char room[312];
    room[n % 300] = 2;
    return innermost(n) + room[n % 300];
}

__attribute__((noinline)) int outermost(int n) {
    volatile char room[40];
    room[n % 40] = 3;
    return between(n) + room[n % 40];
}

int main(int count, char **words) {
    (void)words;
    return outermost(count) + 1;
}
