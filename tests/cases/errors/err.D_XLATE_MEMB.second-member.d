/* A translator's members are those of its structure. */
/* line: 3 */
struct o { int a; }; translator struct o < char v > { a = v; c = v; }; BEGIN { exit(0); }
