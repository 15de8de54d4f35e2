/* #include is for the preprocessor. */
/* line: 3 */
#include <sys/types.h>
BEGIN { exit(0); }
