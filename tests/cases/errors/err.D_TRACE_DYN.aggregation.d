/* Aggregations are printed by printa(). */
/* line: 3 */
BEGIN { @a = count(); trace(@a); }
