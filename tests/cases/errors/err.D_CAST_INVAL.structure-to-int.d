/* A structure is not cast. */
/* line: 3 */
BEGIN { trace((int)*curthread); }
