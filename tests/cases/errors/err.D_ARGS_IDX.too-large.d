/* read() has three arguments, args[0] to args[2]. */
/* line: 3 */
syscall::read:entry { trace(args[3]); }
