/* command: dtrace -q -xcpp -xincdir=lib -xdefine=MORE=4 -xdefine=GONE=1 -xundef=GONE -xstdc=c -xcppargs='-DONE=1 -UTWO' -xcpphdrs -s cmd.preprocessor.d */
/* mask: ^/\S+/ */
#include <limits.h>
#ifdef GONE
#error GONE is not undefined
#endif

BEGIN
{
	printf("%d %d\n", LIMIT + MORE + ONE, __STDC__);
	exit(0);
}
