// Structures of every kind, whose members the program prints itself, one a line, before it gives them to a function.
//   fields ROUNDS
// visit(struct record *, int round) is called ROUNDS times; total(struct node *) is called once with 50 nodes.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum color { RED, GREEN = 5, BLUE = -3 };
typedef enum { SMALL = 1, LARGE = 1000 } magnitude_t;

struct inner {
	char tag[8];
	struct inner *next;
	short grid[2][3];
};

union number {
	int64_t whole;
	double real;
	unsigned char bytes[8];
};

struct record {
	int8_t i8;
	uint8_t u8;
	int16_t i16;
	uint16_t u16;
	int32_t i32;
	uint32_t u32;
	int64_t i64;
	uint64_t u64;
	_Bool flag;
	float single;
	double twice;
	long double extended;
	unsigned int low : 3;
	int middle : 7;
	unsigned int high : 17;
	uint64_t wide : 45;
	int64_t top : 19;
	enum color color;
	magnitude_t magnitude;
	struct inner inner;
	struct inner *pointer;
	union number number;
	struct {
		int in_anonymous;
		union {
			uint32_t word;
			uint8_t octets[4];
		};
	};
	const char *name;
	const char *unended;
	uint32_t unended_size;
	const char *long_text;
	int (*callback)(struct record *, int);
	struct record **table;
	int flexible_size;
	int flexible[];
};

struct node {
	struct node *next;
	int value;
};

struct record *volatile the_record;
static volatile int hidden_count = 41;
const char greeting[] = "hello, world";

int __attribute__((noinline, noclone)) visit(struct record *r, int round)
{
	__asm__ volatile("" : : "r"(r) : "memory");
	return r->i32 + round + hidden_count;
}

long __attribute__((noinline, noclone)) total(struct node *list)
{
	long sum = 0;
	for (struct node *n = list; n; n = n->next)
		sum += n->value;
	return sum;
}

double __attribute__((noinline, noclone)) mixed(int a, double b, unsigned char c, float d, struct inner *e, long f, long g, long h,
						short i)
{
	return a + b + c + d + e->grid[1][2] + f + g + h + i;
}

static void print(const struct record *r)
{
	printf("i8 %d\nu8 %u\ni16 %d\nu16 %u\ni32 %d\nu32 %u\ni64 %ld\nu64 %lu\nflag %d\n", r->i8, r->u8, r->i16, r->u16, r->i32, r->u32,
	       r->i64, r->u64, r->flag);
	printf("single %f\ntwice %f\nextended %.9Lf\n", r->single, r->twice, r->extended);
	printf("low %u\nmiddle %d\nhigh %u\nwide %lu\ntop %ld\n", r->low, r->middle, r->high, (uint64_t)r->wide, (int64_t)r->top);
	printf("color %d\nmagnitude %d\n", r->color, r->magnitude);
	printf("inner.tag %s\ninner.grid %d %d\n", r->inner.tag, r->inner.grid[0][1], r->inner.grid[1][2]);
	printf("pointer->tag %s\npointer->next->tag %s\npointer->next->grid %d\n", r->pointer->tag, r->pointer->next->tag,
	       r->pointer->next->grid[1][0]);
	printf("number %ld %u\n", r->number.whole, r->number.bytes[2]);
	printf("in_anonymous %d\nword %u\noctets %u\n", r->in_anonymous, r->word, r->octets[3]);
	printf("name %s\nunended %.*s\nlong_text %s\n", r->name, (int)r->unended_size, r->unended, r->long_text);
	printf("callback %p\ntable %d\nflexible %d %d\n", (void *)r->callback, r->table[1]->i32, r->flexible[0], r->flexible[2]);
	printf("global %d %d\ngreeting %s\n", the_record->i32, hidden_count, greeting);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;
	struct record *r = calloc(1, sizeof *r + 3 * sizeof(int));
	struct record *table[2] = {r, r};
	struct inner last = {"last", 0, {{0, 0, 0}, {-77, 0, 0}}}, first = {"first", &last, {{0}}};
	char *text = malloc(2000);
	memset(text, 'x', 1999);
	memcpy(text, "long", 4);
	memcpy(text + 195, "END", 4);
	*r = (struct record){
		.i8 = -8, .u8 = 200, .i16 = -1600, .u16 = 60000, .i32 = -320000, .u32 = 4000000000u, .i64 = -64000000000l,
		.u64 = 18000000000000000000ul, .flag = 1, .single = 1.5f, .twice = -2.25, .extended = 3.141592653589793238L,
		.low = 5, .middle = -33, .high = 100001, .wide = 0x123456789abul, .top = -200000, .color = BLUE,
		.magnitude = LARGE, .inner = {"inside", &first, {{1, 2, 3}, {4, 5, -6}}}, .pointer = &first,
		.number = {.whole = 0x4004000000000000}, .in_anonymous = 99, .word = 0xfedcba98, .name = "a name",
		.unended = "abcdefgh", .unended_size = 5, .long_text = text, .callback = visit, .table = table,
		.flexible_size = 3,
	};
	r->flexible[0] = 7;
	r->flexible[2] = 9;
	the_record = r;
	print(r);
	long sum = 0;
	for (int i = 0; i < rounds; i++)
		sum += visit(r, i);
	struct node nodes[50];
	for (int i = 0; i < 50; i++)
		nodes[i] = (struct node){i < 49 ? &nodes[i + 1] : 0, i * i};
	printf("total %ld\n", total(nodes));
	printf("mixed %f\n", mixed(-1, 2.5, 250, 0.5f, &last, 60, 70, -80, -9));
	printf("sizeof %zu\n", sizeof(struct record));
	fflush(stdout);
	return (sum == 0) + (greeting[0] == 'x');
}
