/* A description has four fields. */
/* line: 3 */
a:b:c:d:e { }
