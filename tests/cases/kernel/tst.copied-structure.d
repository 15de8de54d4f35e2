/* needs: kernel */
/* A structure of the kernel is copied into a variable as a whole, and keeps what it was. */
#pragma D option quiet

this struct sched_entity se;
self struct list_head tasks;

BEGIN
{
	this->se = curthread->se;
	self->tasks = curthread->tasks;
	printf("%d %d", this->se.on_rq, sizeof(this->se) == sizeof(struct sched_entity));
	printf(" %d\n", self->tasks.next == curthread->tasks.next);
	exit(0);
}
