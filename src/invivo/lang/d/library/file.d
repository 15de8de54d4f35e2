/*
 * fileinfo_t: what is told of a file, made from an open file or from the first page of a request to a device.
 *
 *	syscall::write:entry { @[fds[arg0].fi_name] = sum(arg2); }
 *	io:::start { @[args[2]->fi_name] = count(); }
 *
 * A request has a file if its first page belongs to the page cache of one: not for direct input and output, swapping,
 * and what a file system writes of its own. Then the names are "<none>".
 * Not to be had: fi_mount.
 */

typedef struct fileinfo {
	string fi_name;		/* the last part of the path */
	string fi_dirname;	/* the rest of it */
	string fi_pathname;	/* the path from the root of its mount, or of its file system for requests */
	off_t fi_offset;
	string fi_fs;		/* the type of its file system */
	int fi_oflags;		/* O_RDONLY ..., 0 for requests */
} fileinfo_t;
