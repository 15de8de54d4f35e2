/* A translator makes structures. */
/* line: 3 */
translator int < int v > { a = v; }; BEGIN { exit(0); }
