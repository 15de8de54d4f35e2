/* The last clause of a file needs a body too. */
/* line: 4 */
BEGIN { exit(0); }
END
