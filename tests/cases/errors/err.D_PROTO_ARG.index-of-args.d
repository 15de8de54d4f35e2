/* An index is a number. */
/* line: 3 */
syscall::read:entry { trace(args["fd"]); }
