/* A translator is defined once. */
/* line: 3 */
struct o { int a; }; translator struct o < int v > { a = v; }; translator struct o < int v > { a = v; }; BEGIN { exit(0); }
