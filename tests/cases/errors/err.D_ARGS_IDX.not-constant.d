/* args[] is indexed by a constant. */
/* line: 3 */
syscall::read:entry { trace(args[pid]); }
