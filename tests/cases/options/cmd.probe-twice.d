/* command: dtrace -xerrtags -h -o /dev/null -s cmd.probe-twice.d */
/* exits: 1 */
provider p { probe a(); probe a(int); };
