/* A structure is not assigned to a number. */
/* line: 3 */
BEGIN { x = 1; x = *curthread; }
