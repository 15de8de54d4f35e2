/* A string is not dereferenced. */
/* line: 3 */
BEGIN { trace(*execname); }
