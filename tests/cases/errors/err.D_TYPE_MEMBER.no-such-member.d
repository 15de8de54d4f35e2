/* A structure without the member. */
/* line: 12 */

struct point {
	int x;
	int y;
};

BEGIN
{
	this->p = (struct point *)alloca(sizeof (struct point));
	trace(this->p->z);
}
