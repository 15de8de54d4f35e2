/* A predicate is followed by a body. */
/* line: 4 */
BEGIN /pid == 1/
