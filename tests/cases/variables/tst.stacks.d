/* A variable keeps a stack, as a key of aggregations; 0 is none. */
#pragma D option quiet
BEGIN
{
	s = stack();
	kept[1, "a"] = s;
	self->s = kept[1, "a"];
	this->s = self->s;
	@same[s] = count();
	@same[kept[1, "a"]] = count();
	@same[self->s] = count();
	@same[this->s] = count();
	kept[1, "a"] = 0;
	@none[kept[1, "a"]] = count();
	@none[kept[2, "b"]] = count();
	printf("%d\n", (uint64_t)s == (uint64_t)this->s);
	printf("%d\n", (uint64_t)kept[2, "b"]);
	printa("same %@d\n", @same);
	printa("none %@d\n", @none);
	exit(0);
}
