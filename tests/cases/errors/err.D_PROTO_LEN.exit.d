/* exit() takes a status. */
/* line: 3 */
BEGIN { exit(); }
