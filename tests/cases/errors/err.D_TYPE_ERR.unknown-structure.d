/* A structure is declared before its members are looked at. */
/* line: 3 */
BEGIN { x = sizeof (struct nosuch_struct); }
