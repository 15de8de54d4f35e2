/* A rate of 0 never fires. */
/* line: 4 */

tick-0 { exit(0); }
