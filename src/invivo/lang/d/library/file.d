/*
 * fileinfo_t: what is told of a file, made from an open file or from the first page of a request to a device.
 *
 *	syscall::write:entry { @[fds[arg0].fi_pathname] = sum(arg2); }
 *	io:::start { @[args[2]->fi_name] = count(); }
 *
 * A request has a file if its first page belongs to the page cache of one: not for direct input and output, swapping,
 * and what a file system writes of its own. A file that is not there has "<none>" for its names.
 * Not to be had: fi_mount.
 */

typedef struct fileinfo {
	string fi_name;		/* the last part of the path */
	string fi_dirname;	/* the rest of it */
	string fi_pathname;	/* from the root of all mounts; for requests, from the root of the file system */
	off_t fi_offset;	/* where reading or writing goes on, or where the request's first page lies */
	string fi_fs;		/* the type of its file system */
	int fi_oflags;		/* O_RDONLY ..., 0 for requests */
} fileinfo_t;

/* Sockets, pipes and their like lie in no directory; they are called as /proc/PID/fd calls them. */
function string __pathless(struct dentry *d)
{
	string fs = stringof(d->d_sb->s_type->name);
	string kind = fs == "sockfs" ? "socket" : fs == "pipefs" ? "pipe" : fs;

	return strjoin(strjoin(kind, ":["), strjoin(lltostr(d->d_inode->i_ino), "]"));
}

inline int __is_pathless[struct dentry *d] = d->d_op != NULL && d->d_op->d_dname != NULL;

inline struct mount *__mount_of[struct vfsmount *v] =
    (struct mount *)((uintptr_t)v - offsetof(struct mount, mnt));

/* The path from the root of all mounts, at most 32 steps up; where `mount` is NULL, from the root of the file system. */
function string __path(struct mount *mount, struct dentry *d)
{
	string path = "";

	for (int i = 0; i < 32; i++) {
		if (mount != NULL && d == mount->mnt.mnt_root) {
			if (mount == mount->mnt_parent)
				break;
			d = mount->mnt_mountpoint;
			mount = mount->mnt_parent;
		} else if (d == d->d_parent) {
			break;
		} else {
			path = strjoin(strjoin("/", stringof(d->d_name.name)), path);
			d = d->d_parent;
		}
	}
	return path == "" ? "/" : path;
}

inline string __dentry_name[struct dentry *d] = __is_pathless[d] ? __pathless(d) : stringof(d->d_name.name);
inline string __dentry_path[struct mount *m, struct dentry *d] = __is_pathless[d] ? __pathless(d) : __path(m, d);
inline string __dentry_directory[struct mount *m, struct dentry *d] = __is_pathless[d] ? "" : __path(m, d->d_parent);

translator fileinfo_t < struct file *F > {
	fi_name = F == NULL ? "<none>" : __dentry_name[F->f_path.dentry];
	fi_dirname = F == NULL ? "<none>" : __dentry_directory[__mount_of[F->f_path.mnt], F->f_path.dentry];
	fi_pathname = F == NULL ? "<none>" : __dentry_path[__mount_of[F->f_path.mnt], F->f_path.dentry];
	fi_offset = F == NULL ? 0 : F->f_pos;
	fi_fs = F == NULL ? "<none>" : stringof(F->f_path.dentry->d_sb->s_type->name);
	fi_oflags = F == NULL ? 0 : F->f_flags;
};

/* The running process's files by their descriptors. */
inline struct fdtable *__descriptors = curthread->files->fdt;
/* the open files of the running process, by descriptor */
inline fileinfo_t fds[int fd] = xlate <fileinfo_t> (
    curthread->files != NULL && fd >= 0 && fd < __descriptors->max_fds ? __descriptors->fd[fd] : (struct file *)NULL);

/* working directory of the running process */
inline string cwd = __path(__mount_of[curthread->fs->pwd.mnt], curthread->fs->pwd.dentry);
/* root directory of the running process */
inline string root = __path(__mount_of[curthread->fs->root.mnt], curthread->fs->root.dentry);

/*
 * From a request to its first page, from there to the file: the page cache knows the inode, the inode one of its names.
 * Of a page that is part of a larger one, the first page has the mapping; a mapping with its low bits set is memory of
 * processes.
 */
inline struct page *__bio_page[struct bio *b] = b->bi_io_vec[b->bi_iter.bi_idx].bv_page;

function struct dentry *__bio_dentry(struct bio *b)
{
	if (b->bi_iter.bi_size == 0 || b->bi_io_vec == NULL)
		return NULL;
	struct address_space *mapping = __head_of[__bio_page[b]]->mapping;
	if (mapping == NULL || ((uintptr_t)mapping & 3) != 0)
		return NULL;
	struct inode *inode = mapping->host;
	/* Pages of the kernel's own allocator have something else in the mapping's place. */
	if ((long)inode >= 0 || inode->i_mapping != mapping || inode->i_dentry.first == NULL)
		return NULL;
	/* What a file system writes of its own goes through the page cache of the device. */
	if ((inode->i_mode & S_IFMT) == S_IFBLK)
		return NULL;
	return __dentry_of[inode->i_dentry.first];
}

function string __bio_file_name(struct bio *b)
{
	struct dentry *d = __bio_dentry(b);

	return d == NULL ? "<none>" : stringof(d->d_name.name);
}

function string __bio_file_path(struct bio *b, int is_directory)
{
	struct dentry *d = __bio_dentry(b);

	if (d == NULL)
		return "<none>";
	return __path((struct mount *)NULL, is_directory ? d->d_parent : d);
}

function string __bio_file_system(struct bio *b)
{
	struct dentry *d = __bio_dentry(b);

	return d == NULL ? "<none>" : stringof(d->d_sb->s_type->name);
}

function off_t __bio_file_offset(struct bio *b)
{
	struct page *head;

	if (__bio_dentry(b) == NULL)
		return 0;
	head = __head_of[__bio_page[b]];
	return (__page_index[head] + (__bio_page[b] - head)) * PAGESIZE;
}

translator fileinfo_t < struct bio *B > {
	fi_name = __bio_file_name(B);
	fi_dirname = __bio_file_path(B, 1);
	fi_pathname = __bio_file_path(B, 0);
	fi_offset = __bio_file_offset(B);
	fi_fs = __bio_file_system(B);
	fi_oflags = 0;
};
