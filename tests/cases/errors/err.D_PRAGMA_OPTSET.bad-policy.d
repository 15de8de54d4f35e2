/* There are the policies switch, fill and ring. */
/* line: 3 */
#pragma D option bufpolicy=heap
BEGIN { exit(0); }
