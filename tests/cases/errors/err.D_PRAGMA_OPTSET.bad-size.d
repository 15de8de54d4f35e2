/* A buffer is no word. */
/* line: 3 */
#pragma D option bufsize=large
BEGIN { exit(0); }
