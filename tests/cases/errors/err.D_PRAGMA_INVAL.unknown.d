/* There is no such pragma. */
/* line: 4 */

#pragma D nosuch

BEGIN { exit(0); }
