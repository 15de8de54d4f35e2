/* After a commit nothing is recorded. */
/* line: 3 */
BEGIN { commit(1); printf("x"); }
