/* A commit comes before data is recorded. */
/* line: 3 */
BEGIN { trace(1); commit(1); }
