/* A declaration does not make the symbol. */
/* line: 4 */
extern int there_is_no_such_symbol;
BEGIN { trace(there_is_no_such_symbol); }
