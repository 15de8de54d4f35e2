// A library for spin: late_work() calls what it is given.
__attribute__((noinline, optimize("no-omit-frame-pointer", "no-optimize-sibling-calls")))
void late_work(void (*back)(unsigned)) {
	back(10000);
	__asm__ volatile("");
}
