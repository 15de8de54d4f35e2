/* The same where the member has its older, plainer name. */

inline unsigned long __page_index[struct page *head] = head->index;
