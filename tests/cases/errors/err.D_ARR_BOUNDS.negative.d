/* Nor may it be negative. */
/* line: 4 */
this int a[2][2];
BEGIN { trace(this->a[1][-1]); }
