/* An integer is not signed and unsigned. */
/* line: 3 */
signed unsigned x;
