/* Nothing can be cleared in an aggregation that no clause fills. */
/* line: 3 */
BEGIN { clear(@never); }
