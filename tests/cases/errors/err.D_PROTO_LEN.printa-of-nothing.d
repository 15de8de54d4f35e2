/* printa() prints an aggregation. */
/* line: 3 */
BEGIN { printa(); }
