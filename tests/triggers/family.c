/* A process, its child and its grandchild, 3 times: step(1) and step(4) in the first, step(2) in each child, step(3) in
   each grandchild. */
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline, noclone, used)) int step(int number) {
    __asm__ volatile("" : "+r"(number));
    return number + 1;
}

int main(void) {
    step(1);
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            step(2);
            if (fork() == 0) {
                step(3);
                _exit(0);
            }
            wait(0);
            _exit(0);
        }
    }
    while (wait(0) > 0) continue;
    step(4);
    return 0;
}
