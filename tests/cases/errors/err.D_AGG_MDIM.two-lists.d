/* An aggregation has one list of keys. */
/* line: 3 */
BEGIN { @a[1][2] = count(); }
