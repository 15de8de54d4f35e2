/* A variable has no address. */
/* line: 4 */
int i;
BEGIN { this->p = &i; }
