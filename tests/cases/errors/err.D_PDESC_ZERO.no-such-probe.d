/* A probe that does not exist. */
/* line: 6 */

BEGIN { exit(0); }

dtrace:::BEGINN { exit(1); }
