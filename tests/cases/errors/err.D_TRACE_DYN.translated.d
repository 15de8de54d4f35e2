/* What a translator makes has no value as a whole. */
/* line: 3 */
BEGIN { trace(curpsinfo); }
