/* command: dtrace -xempty -e -s cmd.empty.d */
int declared;
