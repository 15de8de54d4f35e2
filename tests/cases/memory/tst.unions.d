/* The members of a union lie at one place. */
#pragma D option quiet

union word {
	unsigned int whole;
	unsigned char bytes[4];
};

BEGIN
{
	this->u = (union word *)alloca(sizeof (union word));
	this->u->whole = 0x04030201;
	printf("%d %d %d\n", this->u->bytes[0], this->u->bytes[3], sizeof (union word));
	this->u->bytes[1] = 0xff;
	printf("%x\n", this->u->whole);
	exit(0);
}
