/* msgsize() is for STREAMS, which Linux does not have. */
/* line: 3 */
BEGIN { trace(msgsize(0)); }
