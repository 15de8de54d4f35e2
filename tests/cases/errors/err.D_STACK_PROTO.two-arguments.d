/* stack() takes at most a number of frames. */
/* line: 3 */
BEGIN { stack(1, 2); }
