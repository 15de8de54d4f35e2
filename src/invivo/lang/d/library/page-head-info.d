/*
 * The same in kernels whose pages keep either the first page's address or a mask that makes it out of their own, plus 1.
 * A mask has all its upper bits set, which no address of a page has.
 */

inline struct page *__head_of[struct page *p] =
    (p->compound_info & 1) == 0 ? p
    : p->compound_info >> 40 == 0xffffff ? (struct page *)((uintptr_t)p & p->compound_info)
    : (struct page *)(p->compound_info - 1);
