/* What a thread keeps cannot be so large. */
/* line: 3 */
self int a[100000];
