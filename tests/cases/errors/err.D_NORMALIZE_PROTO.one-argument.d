/* normalize() takes an aggregation and a factor. */
/* line: 3 */
BEGIN { @a = count(); normalize(@a); }
