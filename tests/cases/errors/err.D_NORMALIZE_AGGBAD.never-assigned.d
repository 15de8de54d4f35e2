/* An aggregation that no clause fills is not normalized. */
/* line: 3 */
BEGIN { normalize(@never, 2); }
