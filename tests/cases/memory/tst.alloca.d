/* Memory of the firing's own begins as zeros and can be written. */
#pragma D option quiet

BEGIN
{
	this->p = (int *)alloca(4 * sizeof (int));
	printf("%d %d\n", this->p[0], this->p[3]);
	for (int i = 0; i < 4; i++)
		this->p[i] = i * i;
	printf("%d %d %d\n", this->p[1], this->p[2], *(this->p + 3));
	exit(0);
}
