/* Not even of a comma. */
/* line: 3 */
BEGIN { @a = count(); x = (1, @a); }
