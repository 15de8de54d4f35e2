/* An exit status is a number. */
/* line: 3 */
BEGIN { exit("x"); }
