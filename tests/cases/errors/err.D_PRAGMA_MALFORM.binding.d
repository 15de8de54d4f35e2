/* A binding is a version and a name. */
/* line: 3 */
#pragma D binding 1.0 x
BEGIN { exit(0); }
