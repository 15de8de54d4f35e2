/* A pragma attributes names what has them. */
/* line: 3 */
#pragma D attributes Stable/Stable/Common
BEGIN { exit(0); }
