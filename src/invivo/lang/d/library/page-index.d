/* Which page of its file the first page of a larger one is. */

inline unsigned long __page_index[struct page *head] = head->__folio_index;
