/* A translator's members are those of its structure. */
/* line: 3 */
struct o { int a; }; translator struct o < int v > { b = v; }; BEGIN { exit(0); }
