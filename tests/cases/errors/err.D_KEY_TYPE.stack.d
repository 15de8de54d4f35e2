/* An array has no stacks as keys. */
/* line: 3 */
BEGIN { a[stack()] = 1; }
