/* Two declarations must agree. */
/* line: 3 */
extern int some_symbol; extern long some_symbol;
