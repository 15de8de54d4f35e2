/* There is no such option. */
/* line: 4 */

#pragma D option nosuch=5

BEGIN { exit(0); }
