/* There are no negative frames. */
/* line: 3 */
BEGIN { stack(-1); }
