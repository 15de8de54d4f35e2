/* Nor have members of what a thread keeps. */
/* line: 4 */
self struct { int a; } t;
BEGIN { this->p = &self->t.a; }
