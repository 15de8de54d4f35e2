/* Floating-point variables are not kept. */
/* line: 3 */
double d;
