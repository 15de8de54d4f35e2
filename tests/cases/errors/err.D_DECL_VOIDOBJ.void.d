/* No variable is void. */
/* line: 4 */

void x;

BEGIN { exit(0); }
