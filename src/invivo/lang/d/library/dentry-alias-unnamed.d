/* The same where the union that has that place has no name. */

inline struct dentry *__dentry_of[struct hlist_node *n] =
    (struct dentry *)((uintptr_t)n - offsetof(struct dentry, d_alias));
