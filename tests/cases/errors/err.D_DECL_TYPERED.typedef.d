/* A type's name stands for one type. */
/* line: 3 */
typedef int t; typedef char t;
