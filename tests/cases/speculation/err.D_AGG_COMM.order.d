/* What may stand where in a clause that speculates or commits. */
/* line: 3 */
BEGIN { commit(1); @ = count(); }
