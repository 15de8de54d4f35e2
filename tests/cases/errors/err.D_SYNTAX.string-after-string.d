/* Strings are not joined by standing together. */
/* line: 3 */
BEGIN { x = "a" "b"; }
