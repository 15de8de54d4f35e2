/* Memory of the firing does not outlive it: a global pointer that is declared cannot hold it. */
/* line: 4 */
int *p;
BEGIN { p = alloca(8); exit(0); }
