/* The CPU's place: in a machine of one package and one memory node both are 0, and everywhere those of curcpu. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", curcpu->cpu_id == cpu, curcpu->cpu_chip == chip, curcpu->cpu_lgrp == lgrp);
	printf("%d %d\n", chip >= 0 && chip < 1024, lgrp >= 0 && lgrp < 1024);
	exit(0);
}
