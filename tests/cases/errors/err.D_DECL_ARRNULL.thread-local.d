/* So does one of a thread. */
/* line: 3 */
self int a[];
