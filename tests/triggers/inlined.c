/* Functions that the compiler puts into their callers, two deep; `inlined wait` waits inside of them,
 * until an alarm ends it. */
#include <string.h>
#include <unistd.h>

static volatile int sink;
static int is_waiting;

static inline __attribute__((always_inline)) int innermost(int n) {
    sink += n;
    if (is_waiting)
        pause();
    return sink * 3;
}

static inline __attribute__((always_inline)) int between(int n) {
    int first = innermost(n);
    return first + innermost(n + 1);
}

__attribute__((noinline)) int outermost(int n) {
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += between(i);
    return sum;
}

int main(int count, char **words) {
    is_waiting = count > 1 && strcmp(words[1], "wait") == 0;
    if (is_waiting)
        alarm(1);
    int sum = 0;
    for (int i = 0; i < 300; i++)
        sum += outermost(1000000);
    return sum == 1;
}
