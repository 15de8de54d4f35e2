/* A percent sign begins a conversion. */
/* line: 3 */
BEGIN { printf("100%"); }
