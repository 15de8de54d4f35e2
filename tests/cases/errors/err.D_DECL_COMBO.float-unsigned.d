/* A float has no sign. */
/* line: 3 */
unsigned float f;
