/* An integer is not long and short. */
/* line: 3 */
long short x;
