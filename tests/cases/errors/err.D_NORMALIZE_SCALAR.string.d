/* A factor is a number. */
/* line: 3 */
BEGIN { @a = count(); normalize(@a, execname); }
