/* Memory of the firing does not outlive it: a thread's pointer that is declared cannot hold it. */
/* line: 4 */
self int *p;
BEGIN { self->p = alloca(8); exit(0); }
