/* A tick has no arguments. */
/* line: 3 */
tick-1s { trace(args[0]); }
