/* An aggregation that is only printed is never assigned. */
/* line: 3 */
BEGIN { @a[pid]; }
