/* command: dtrace -64 -q -C -I lib -D MORE=4 -D GONE=1 -U GONE -X c -L lib -b 1m -s cmd.letters.d 7 word */
#include <limits.h>
#ifdef GONE
#error GONE is not undefined
#endif

BEGIN
{
	printf("%d %d %d %d %s\n", LIMIT + MORE, __STDC__, answer, $1, $$2);
	exit(0);
}
