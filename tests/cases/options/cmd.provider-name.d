/* command: dtrace -xerrtags -h -o /dev/null -s cmd.provider-name.d */
/* exits: 1 */
provider p1 { probe a(int); };
