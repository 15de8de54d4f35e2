/* What is beyond the option printsize is not there to be shown. */
#pragma D option quiet
#pragma D option printsize=16

struct s {
	long a;
	int b;
	int c;
	int d;
};

BEGIN
{
	this->p = (struct s *)alloca(sizeof (struct s));
	this->p->a = 1;
	this->p->c = 2;
	this->p->d = 3;
	print(this->p);
	exit(0);
}
