/* A structure is no string. */
/* line: 3 */
BEGIN { trace(stringof(*curthread)); }
