/* A library that `loads` opens at run time: compiled with -shared. */
static int calls;

__attribute__((constructor)) static void begin(void) { calls = 100; }

int plugin_work(int number) {
    calls += number;
    return calls;
}
