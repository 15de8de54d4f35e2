/* command: dtrace -xerrtags -h -o /dev/null -s cmd.probe-arguments.d */
/* exits: 1 */
provider p { probe a(int, int, int, int, int, int, int, int, int, int, int, int, int); };
