/* The kernel knows what it is. */
/* line: 3 */
extern int vfs_read;
