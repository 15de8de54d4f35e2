/* Nothing is of the type void. */
/* line: 3 */
extern void some_symbol;
