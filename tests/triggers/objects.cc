// Classes with bases, references, templates: prints what visit() and Holder::sum() are given, for a tracer to compare.
#include <cstdio>
#include <string>

#define KEPT __attribute__((noinline, noclone))

struct Base {
	int id;
	long weight;
	virtual ~Base() {}
};

struct Tagged {
	short tag;
	unsigned low : 3;
	int middle : 7;
};

struct Derived : Base, Tagged {
	int extra;
	static int shared;
};

int Derived::shared = 5;

struct Shadow : Derived {
	int id; // hides its base's
};

enum class Colour : unsigned char { RED = 1, GREEN = 2 };

namespace geometry {
struct Point {
	double x, y;
	bool is_set;
};

template <typename T> struct Box {
	T value;
	T more[3];
};
} // namespace geometry

struct Owned { // has a destructor: passed by its address, though it would fit in a register
	int number;
	~Owned() { number = 0; }
};

extern "C" KEPT long visit(const Derived &d, geometry::Point *p, Colour c, int &&moved, geometry::Box<short> &box,
			   Owned owned) {
	asm volatile("" ::"r"(&d), "r"(p), "r"(&box), "r"(&owned) : "memory");
	printf("id %d\nweight %ld\ntag %d\nlow %u\nmiddle %d\nextra %d\n", d.id, d.weight, d.tag, d.low, d.middle, d.extra);
	printf("x %f\nis_set %d\ncolour %d\nmoved %d\n", p->x, p->is_set, (int)c, moved);
	printf("box %d %d\nowned %d\n", box.value, box.more[2], owned.number);
	return d.id + moved;
}

struct Holder {
	Derived &reference;
	Shadow *pointer;
	Derived array[2];
	KEPT long sum(int n) {
		asm volatile("" ::"r"(this) : "memory");
		printf("reference %d\nhidden %d\nshadow %d\nsecond %d\nn %d\n", reference.extra, pointer->Base::id, pointer->id,
		       array[1].id, n);
		return n + reference.extra;
	}
};

int main() {
	Derived d;
	d.id = 23, d.weight = 1L << 40, d.tag = -11, d.low = 5, d.middle = -33, d.extra = 99;
	geometry::Point p{1.5, -2.25, true};
	geometry::Box<short> box{-77, {1, 2, 3}};
	Shadow s;
	s.Base::id = 41, s.id = 43;
	Holder holder{d, &s, {d, d}};
	holder.array[1].id = 47;
	long result = visit(d, &p, Colour::GREEN, 31, box, Owned{53}) + holder.sum(7);
	printf("result %ld\n", result);
	return 0;
}
