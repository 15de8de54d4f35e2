/* Nor have its members: it may be gone at any time. */
/* line: 4 */
struct s { int a; }; struct s m[int];
BEGIN { this->p = &m[1].a; }
