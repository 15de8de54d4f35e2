/* tracemem() takes an address. */
/* line: 3 */
BEGIN { tracemem(execname, 8); }
