/* -> follows a pointer. */
/* line: 3 */
BEGIN { x = pid; trace(x->y); }
