/* There are no negative frames. */
/* line: 3 */
BEGIN { ustack(-1); }
