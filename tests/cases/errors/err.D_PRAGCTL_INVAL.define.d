/* #define is for the preprocessor. */
/* line: 3 */
#define X 1
BEGIN { exit(X); }
