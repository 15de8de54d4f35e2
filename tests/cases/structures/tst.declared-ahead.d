/* A structure may be declared before its members are: pointers to it are possible. */
#pragma D option quiet

struct node;
struct list { struct node *first; };
struct node { int value; struct node *next; };
this struct node a;

BEGIN
{
	this->a.value = 5;
	this->p = &this->a.value;
	this->l = (struct list *)alloca(sizeof(struct list));
	printf("%d %d %d\n", sizeof(struct list), sizeof(struct node), this->l->first == NULL);
	exit(0);
}
