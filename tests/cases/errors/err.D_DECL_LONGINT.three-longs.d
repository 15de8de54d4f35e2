/* There is long and long long. */
/* line: 3 */
long long long x;
