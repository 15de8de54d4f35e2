/* An associative array whose values are structures. */
#pragma D option quiet

struct stat { uint64_t calls; uint64_t bytes; string last; };
struct stat by[string, int];

BEGIN
{
	by["cat", 1].calls++;
	by["cat", 1].calls++;
	by["cat", 1].bytes += 512;
	by["dd", 1].calls = 5;
	by["cat", 2].last = "never";
	by["cat", 1].last = by["cat", 2].last;
	printf("%d %d %s\n", by["cat", 1].calls, by["cat", 1].bytes, by["cat", 1].last);
	printf("%d %d [%s]\n", by["dd", 1].calls, by["dd", 1].bytes, by["dd", 1].last);
	printf("%d %d %s\n", by["cat", 2].calls, by["cat", 2].bytes, by["cat", 2].last);
	exit(0);
}
