/* A variable is assigned before it is read. */
/* line: 3 */
BEGIN { trace(this->nosuch); }
