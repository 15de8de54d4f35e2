/* A structure without members is no variable. */
/* line: 3 */
struct none_such; struct none_such x;
