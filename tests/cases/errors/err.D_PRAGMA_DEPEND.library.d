/* A program does not depend on libraries. */
/* line: 3 */
#pragma D depends_on library io.d
BEGIN { exit(0); }
