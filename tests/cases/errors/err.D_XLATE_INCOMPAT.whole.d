/* A translated pointer leads to nothing that can be kept. */
/* line: 3 */
BEGIN { p = curpsinfo; }
