/* Memory as a dump in rows of 16 bytes. */
#pragma D option quiet

BEGIN
{
	this->p = (char *)alloca(18);
	this->p[0] = 'd';
	this->p[1] = 't';
	this->p[15] = '~';
	this->p[16] = 0x7f;
	this->p[17] = -1;
	tracemem(this->p, 18);
	exit(0);
}
