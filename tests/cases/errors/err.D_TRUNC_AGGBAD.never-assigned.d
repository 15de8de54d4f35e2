/* An aggregation that no clause fills is not truncated. */
/* line: 3 */
BEGIN { trunc(@never); }
