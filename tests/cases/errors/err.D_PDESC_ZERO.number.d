/* No probe has this number. */
/* line: 3 */
999999 { exit(0); }
