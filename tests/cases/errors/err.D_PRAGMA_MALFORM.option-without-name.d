/* A pragma option names one option. */
/* line: 3 */
#pragma D option
BEGIN { exit(0); }
