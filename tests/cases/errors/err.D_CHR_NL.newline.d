/* A character constant ends on its line. */
/* line: 3 */
BEGIN { x = 'a
'; }
