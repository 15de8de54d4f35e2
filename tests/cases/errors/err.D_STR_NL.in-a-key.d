/* A string ends on its line. */
/* line: 3 */
BEGIN { @["a
"] = count(); }
