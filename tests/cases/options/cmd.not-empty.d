/* command: dtrace -xerrtags -e -s cmd.not-empty.d */
/* exits: 1 */
int declared;
