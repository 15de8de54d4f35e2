/* line: 2 */
#pragma error this is not finished
BEGIN { exit(0); }
