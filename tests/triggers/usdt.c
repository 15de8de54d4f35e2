// USDT probes by hand-written notes, so that every form of an operand is known: no sys/sdt.h is needed.
//   usdt COUNT [PAUSE_US]
// fires demo:sites at two places COUNT times each, with other operands at each; demo:guarded only while its semaphore is
// not 0; demo:forms once a round. Prints what the arguments were.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef NOP5 // newer versions of sys/sdt.h reserve five bytes for a faster probe
#define NOP ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00"
#else
#define NOP "nop"
#endif
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define NOTE(provider, name, semaphore, arguments)                                                                     \
	"990: " NOP "\n"                                                                                               \
	".pushsection .note.stapsdt,\"?\",\"note\"\n"                                                                  \
	".balign 4\n"                                                                                                  \
	".4byte 992f-991f, 994f-993f, 3\n"                                                                             \
	"991: .asciz \"stapsdt\"\n"                                                                                    \
	"992: .balign 4\n"                                                                                             \
	"993: .8byte 990b\n"                                                                                           \
	".8byte _.stapsdt.base\n"                                                                                      \
	".8byte " TEXT(semaphore) "\n"                                                                                 \
	".asciz \"" provider "\"\n"                                                                                    \
	".asciz \"" name "\"\n"                                                                                        \
	".asciz \"" arguments "\"\n"                                                                                   \
	"994: .balign 4\n"                                                                                             \
	".popsection\n"

__asm__(".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"
	".weak _.stapsdt.base\n.hidden _.stapsdt.base\n"
	"_.stapsdt.base: .space 1\n.size _.stapsdt.base, 1\n.popsection\n");

volatile unsigned short demo_guarded_semaphore __attribute__((section(".probes"), used));
int64_t table[4] = {11, 22, 33, 44};
const char *text = "a text";
double ratio = 2.5;

// One probe at two sites: the second has its first argument in memory, and another semaphore.
volatile unsigned short other_semaphore __attribute__((section(".probes"), used));

static void __attribute__((noinline)) first_site(int number, const char *string)
{
	__asm__ volatile(NOTE("demo", "sites", demo_guarded_semaphore, "-4@%%edi 8@%%rsi") : : "D"(number), "S"(string));
}

static void __attribute__((noinline)) second_site(int number, const char *string)
{
	int cell[2] = {0, number};
	__asm__ volatile(NOTE("demo", "sites", other_semaphore, "-4@4(%%rax) 8@%%rdx")
			 : : "a"(cell), "d"(string), "m"(cell));
}

static void __attribute__((noinline)) forms(void)
{
	__asm__ volatile(NOTE("demo", "forms", 0,
			      "-1@%%al 1@%%al 1@%%bh -2@%%cx 4@%%edx 8@8(%%rsi,%%rdi,8) -8@table+16(%%rip) -4@$-7")
			 : : "a"(0x1122334455667780ull), "b"(0x5a00ull), "c"(0xfffeull), "d"(0xffffffff00000001ull),
			     "S"(table), "D"(2ull), "m"(table));
}

static void __attribute__((noinline)) float_form(void)
{
	uint64_t copy;
	__builtin_memcpy(&copy, &ratio, 8);
	register uint64_t bits __asm__("r8") = copy;
	__asm__ volatile(NOTE("demo", "ratio", 0, "8f@%%r8") : : "r"(bits));
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1, guarded = 0;
	for (int i = 0; i < count; i++) {
		first_site(i, text);
		second_site(-i, "another");
		if (demo_guarded_semaphore) {
			guarded++;
			__asm__ volatile(NOTE("demo", "guarded", demo_guarded_semaphore, "-4@%%edi") : : "D"(i));
		}
		forms();
		float_form();
		if (argc > 2)
			usleep(atoi(argv[2]));
	}
	printf("guarded %d\n", guarded);
	return 0;
}
