/* A dot follows a structure. */
/* line: 3 */
BEGIN { trace(curthread.pid); }
