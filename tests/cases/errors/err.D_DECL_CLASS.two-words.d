/* Only one word of storage is possible. */
/* line: 3 */
self extern int x;
