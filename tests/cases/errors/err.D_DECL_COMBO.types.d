/* A type's words must fit together. */
/* line: 4 */

short char x;

BEGIN { exit(0); }
