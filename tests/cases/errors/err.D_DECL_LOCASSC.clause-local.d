/* They cannot be declared either. */
/* line: 4 */

this int a[int];

BEGIN { exit(0); }
