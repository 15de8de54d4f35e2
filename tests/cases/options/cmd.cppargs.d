/* command: dtrace -q -xcpp -xcppargs=-E -s cmd.cppargs.d */
/* exits: 1 */
BEGIN { exit(0); }
