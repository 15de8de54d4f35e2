/* ustack() takes at most frames and a string size. */
/* line: 3 */
BEGIN { ustack(1, 2, 3); }
