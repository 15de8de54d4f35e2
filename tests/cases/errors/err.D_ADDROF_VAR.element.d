/* An element of an associative array has none. */
/* line: 3 */
BEGIN { a[1] = 2; this->p = &a[1]; }
