/* No translator makes this out of a number. */
/* line: 3 */
BEGIN { x = xlate <psinfo_t> (5); }
