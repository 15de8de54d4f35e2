/* Memory of the kernel is never written. */
/* line: 6 */

BEGIN
{
	*(int *)4096 = 1;
}
