BEGIN { exit(0); }
#pragma D attributes Solid/Stable/Common x
/* line: 2 */
