/* What may stand where in a clause that speculates or commits. */
/* line: 3 */
BEGIN { speculate(1); exit(0); }
