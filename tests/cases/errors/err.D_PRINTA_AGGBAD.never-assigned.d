/* An aggregation that no clause fills is not printed. */
/* line: 3 */
BEGIN { printa(@never); }
