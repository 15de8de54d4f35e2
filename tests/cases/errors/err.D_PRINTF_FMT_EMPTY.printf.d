/* printf() has a format. */
/* line: 3 */
BEGIN { printf(""); }
