/* %s prints an enumeration's constant by its name, and a number that has none as it is. */
#pragma D option quiet

enum color { RED, GREEN = 5, BLUE = -3 };

BEGIN
{
	this->c = (enum color *)alloca(4);
	printf("%s %d", *this->c, *this->c);
	*this->c = GREEN;
	printf(" [%8s]", *this->c);
	*this->c = BLUE;
	printf(" [%-6s]", *this->c);
	*this->c = 17;
	printf(" %s %S\n", *this->c, *this->c);
	exit(0);
}
