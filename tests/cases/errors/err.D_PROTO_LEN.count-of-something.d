/* count() counts firings, and takes nothing. */
/* line: 3 */
BEGIN { @ = count(1); }
