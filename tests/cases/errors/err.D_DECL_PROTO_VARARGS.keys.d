/* The keys of an array are all known. */
/* line: 3 */
int a[int, ...];
