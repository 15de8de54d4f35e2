/* denormalize() takes an aggregation alone. */
/* line: 3 */
BEGIN { @a = count(); denormalize(@a, 2); }
