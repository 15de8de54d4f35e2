/* Opens libraries, calls plugin_work(1) in each so many times, closes it, and prints the last value: one "TIMES PATH" a
   line of its input, or opens TIMES PATH TIMES PATH ... of its arguments. With -t first, in threads of their own. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct task { int times; char path[1024]; };

static void *carry_out(void *data) {
    struct task *task = data;
    void *library = dlopen(task->path, RTLD_NOW);
    if (!library) {
        puts(dlerror());
        return 0;
    }
    int (*work)(int) = (int (*)(int))dlsym(library, "plugin_work");
    int last = 0;
    for (int i = 0; i < task->times; i++) last = work(1);
    printf("%d\n", last);
    fflush(stdout);
    dlclose(library);
    return 0;
}

int main(int argc, char **argv) {
    static struct task task[64];
    int threads = argc > 1 && !strcmp(argv[1], "-t"), count = 0;
    pthread_t thread[64];
    for (int i = 1 + threads; i + 1 < argc && count < 64; i += 2, count++) {
        task[count].times = atoi(argv[i]);
        strncpy(task[count].path, argv[i + 1], 1023);
        if (threads) pthread_create(&thread[count], 0, carry_out, &task[count]);
        else carry_out(&task[count]);
    }
    for (int i = 0; threads && i < count; i++) pthread_join(thread[i], 0);
    while (!count && scanf("%d %1023s", &task[0].times, task[0].path) == 2) carry_out(&task[0]);
    return 0;
}
