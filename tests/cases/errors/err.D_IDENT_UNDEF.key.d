/* A name is known before it is read. */
/* line: 3 */
BEGIN { trace(a[nosuch]); }
