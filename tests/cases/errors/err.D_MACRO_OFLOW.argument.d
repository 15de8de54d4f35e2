/* An argument that is no 64-bit number. */
/* line: 4 */
/* arguments: 99999999999999999999 */
BEGIN { trace($1); }
