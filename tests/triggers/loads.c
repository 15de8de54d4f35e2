/* Opens the library that its argument names, and calls plugin_work(1) 23 times: loads PATH. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) {
        puts(dlerror());
        return 3;
    }
    int (*work)(int) = (int (*)(int))dlsym(library, "plugin_work");
    int last = 0;
    for (int i = 0; i < 23; i++) last = work(1);
    printf("%d\n", last);
    return dlclose(library);
}
