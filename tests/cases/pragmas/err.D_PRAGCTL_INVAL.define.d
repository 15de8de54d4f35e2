/* line: 2 */
#define LIMIT 5
BEGIN { exit(0); }
