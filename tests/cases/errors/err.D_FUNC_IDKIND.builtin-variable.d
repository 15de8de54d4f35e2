/* A variable is not called. */
/* line: 3 */
BEGIN { pid(2); }
