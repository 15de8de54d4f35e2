/* A name of a file from its place in the list of the inode's names. */

inline struct dentry *__dentry_of[struct hlist_node *n] =
    (struct dentry *)((uintptr_t)n - offsetof(struct dentry, d_u));
