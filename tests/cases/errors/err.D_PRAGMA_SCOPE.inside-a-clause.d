/* A pragma attributes stands outside of clauses. */
/* line: 4 */
BEGIN {
#pragma D attributes Stable/Stable/Common x
exit(0); }
