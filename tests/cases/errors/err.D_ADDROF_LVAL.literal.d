/* A number has no address. */
/* line: 3 */
BEGIN { this->p = &5; }
