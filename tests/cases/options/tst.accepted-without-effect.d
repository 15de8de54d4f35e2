#pragma D option quiet
#pragma D option cleanrate=10hz
#pragma D option temporal
#pragma D option jstackframes=50
#pragma D option lockmem=unlimited
#pragma D option evaltime=main
#pragma D option knodefs
#pragma D option aggpercpu
#pragma D option core
#pragma D option ctfpath=/x
#pragma D option debug
#pragma D option debugassert
#pragma D option dofstashpath=/x
#pragma D option iregs=8
#pragma D option jstackstrsize=100
#pragma D option kdefs
#pragma D option late
#pragma D option lazyload
#pragma D option ldpath=/x
#pragma D option linkmode=static
#pragma D option linknommap
#pragma D option linktype=elf
#pragma D option modpath=/x
#pragma D option pgmax=9
#pragma D option preallocate=1
#pragma D option procfspath=/x
#pragma D option pspec
#pragma D option strip
#pragma D option syslibdir=/x
#pragma D option sysslice
#pragma D option tregs=9
#pragma D option udefs
#pragma D option unodefs
#pragma D option useruid

BEGIN
{
	printf("all the same\n");
	exit(0);
}
