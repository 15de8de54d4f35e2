/* The number of frames is a constant. */
/* line: 3 */
BEGIN { stack(pid); }
