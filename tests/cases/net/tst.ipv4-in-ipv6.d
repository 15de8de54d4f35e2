/* An IPv4 address that is kept in one of IPv6: inet_ntoa6() shows it alone, with its second argument and inet_ntop() whole. */
#pragma D option quiet

BEGIN
{
	this->a = (uint8_t *)alloca(16);
	this->a[12] = 10;
	this->a[15] = 1;
	printf("%s %s %s\n", inet_ntoa6((in6_addr_t *)this->a, 0), inet_ntoa6((in6_addr_t *)this->a, 1),
	    inet_ntop(AF_INET6, this->a));
	this->a[10] = 0xff;
	this->a[11] = 0xff;
	printf("%s %s %s\n", inet_ntoa6((in6_addr_t *)this->a), inet_ntoa6((in6_addr_t *)this->a, 1),
	    inet_ntop(AF_INET6, this->a));
	exit(0);
}
