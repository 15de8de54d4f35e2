#!/usr/sbin/dtrace -Cs
/*
 * specopen.d - files that could not be opened: what was recorded at the call is kept only if it fails.
 */

#include "specopen.h"

#pragma D option quiet
#pragma D option nspec=8

#define	OPENS(when)	syscall::openat:when

OPENS(entry)
/pid == $target/
{
	self->spec = speculation();
	self->path = arg1;
}

OPENS(entry)
/self->spec/
{
	speculate(self->spec);
	printf("%s -> ", copyinstr(self->path));
}

OPENS(return)
/self->spec && FAILED/
{
	commit(self->spec);
	self->failed = errno;
}

OPENS(return)
/self->spec && FAILED/
{
	printf("error %d\n", self->failed);
	failures++;
	self->spec = 0;
}

OPENS(return)
/self->spec/
{
	discard(self->spec);
	self->spec = 0;
}

END
{
	printf("%d failures\n", failures);
}
