/* Of a page that is part of a larger one, its first page: the others keep that one's address, plus 1. */

inline struct page *__head_of[struct page *p] = p->compound_head & 1 ? (struct page *)(p->compound_head - 1) : p;
