/* #pragma D error does so too. */
/* line: 3 */
#pragma D error not yet
BEGIN { exit(0); }
