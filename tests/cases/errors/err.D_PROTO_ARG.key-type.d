/* And they are always of the same kind. */
/* line: 6 */

BEGIN { @a[1] = count(); }

END { @a["one"] = count(); }
