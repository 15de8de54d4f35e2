// A 32-bit program without any library: 7 times getppid(2), "thirty-two", exit status 5.
//   cc -m32 -nostdlib -static
static int call(int number, int first, int second, int third)
{
	int result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second), "d"(third) : "memory");
	return result;
}

void _start(void)
{
	for (int i = 0; i < 7; i++)
		call(64, 0, 0, 0);
	call(4, 1, (int)"thirty-two\n", 11);
	call(1, 5, 0, 0);
}
