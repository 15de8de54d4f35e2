/* END may say another status. */
/* exits: 5 */
#pragma D option quiet

BEGIN
{
	exit(3);
}

END
{
	printf("end\n");
	exit(5);
}
