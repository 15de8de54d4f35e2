/* One aggregation has one function. */
/* line: 6 */

BEGIN { @a = count(); }

END { @a = sum(1); }
