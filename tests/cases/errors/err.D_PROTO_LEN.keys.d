/* An aggregation has always as many keys. */
/* line: 6 */

BEGIN { @a[1] = count(); }

END { @a[1, 2] = count(); }
