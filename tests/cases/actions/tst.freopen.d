/* Output goes elsewhere for a while; commands do not. */
#pragma D option quiet
#pragma D option destructive

BEGIN
{
	printf("seen\n");
	freopen("/dev/%s", "null");
	printf("not seen\n");
	system("echo seen too");
	freopen("");
	printf("seen again\n");
	exit(0);
}
