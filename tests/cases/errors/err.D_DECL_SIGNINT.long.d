/* An integer is not signed and unsigned. */
/* line: 3 */
unsigned signed long x;
