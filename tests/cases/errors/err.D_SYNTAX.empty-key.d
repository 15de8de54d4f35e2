/* Keys are not empty. */
/* line: 3 */
BEGIN { @a[] = count(); }
