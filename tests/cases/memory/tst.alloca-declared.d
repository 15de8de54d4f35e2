/* A pointer of the firing that is declared first leads where it is made to: into alloca()'s memory too. */
#pragma D option quiet

struct pair { int x; char y; };
this struct pair *p;
this struct pair *again;
this char *text;
this int *numbers;
this void *any;

BEGIN
{
	this->p = NULL;
	this->p = alloca(sizeof (struct pair));
	this->p->x = 41;
	this->p->x++;
	this->p->y = 'k';
	this->again = (struct pair *)alloca(sizeof (struct pair));
	*this->again = *this->p;
	this->again->x *= 2;
	printf("%d %c %d %c\n", this->p->x, this->p->y, this->again->x, this->again->y);
}

BEGIN
{
	this->text = alloca(4);
	this->text[0] = 'a';
	this->text[1] = 98;
	this->numbers = (int *)alloca(3 * sizeof (int));
	this->numbers[2] = -7;
	this->any = this->numbers + 2;
	printf("%s %d %d %d\n", stringof(this->text), this->numbers[0], this->numbers[2], *(int *)this->any);
}

BEGIN
{
	struct pair *inner;
	inner = alloca(sizeof (struct pair));
	inner->x = 5;
	this->p = inner;
	printf("%d\n", this->p->x);
	exit(0);
}
