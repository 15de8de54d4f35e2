/* A comment that never ends. */
/* line: 5 */

BEGIN { exit(0); }
/* and so on
