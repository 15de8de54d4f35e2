/* What may stand where in a clause that speculates or commits. */
/* line: 3 */
BEGIN { trace(1); speculate(1); }
