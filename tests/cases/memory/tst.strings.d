/* Characters in memory are a string. */
#pragma D option quiet

BEGIN
{
	this->p = (char *)alloca(8);
	this->p[0] = 'h';
	this->p[1] = 'i';
	printf("%s %d\n", stringof(this->p), strlen(this->p));
	printf("%s\n", strjoin(this->p, "!"));
	exit(0);
}
