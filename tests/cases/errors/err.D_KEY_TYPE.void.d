/* void is no key of an aggregation. */
/* line: 3 */
BEGIN { @[(void)1] = count(); }
