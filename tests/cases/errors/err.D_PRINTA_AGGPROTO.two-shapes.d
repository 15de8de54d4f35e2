/* printa() joins aggregations by keys of the same types. */
/* line: 3 */
BEGIN { @a[1] = count(); @b[execname] = count(); printa("%d %@d %@d", @a, @b); }
