/* No array has so many elements. */
/* line: 3 */
char a[0x100000001];
