/* What a void pointer points to has no type. */
/* line: 3 */
BEGIN { trace(*(void *)curthread); }
