/* line: 2 */
#pragma D depends_on cheese brie
BEGIN { exit(0); }
