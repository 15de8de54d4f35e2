/* A type's words must fit together. */
/* line: 4 */

char float x;

BEGIN { exit(0); }
