/* Addresses as inet_ntop(3) writes them. */
#pragma D option quiet

BEGIN
{
	this->b = (uint8_t *)alloca(16);
	this->b[0] = 192;
	this->b[2] = 2;
	this->b[3] = 255;
	printf("%s %s\n", inet_ntoa((ipaddr_t *)this->b), inet_ntop(AF_INET, this->b));
	this->b[0] = 0x20;
	this->b[1] = 1;
	this->b[2] = 0xd;
	this->b[3] = 0xb8;
	this->b[15] = 1;
	printf("%s %s\n", inet_ntoa6((in6_addr_t *)this->b), inet_ntop(AF_INET6, this->b));
	this->b[6] = 1;
	this->b[12] = 0xab;
	this->b[15] = 0;
	printf("%s\n", inet_ntoa6((in6_addr_t *)this->b));
	printf("%s\n", inet_ntop(1, this->b));
}

BEGIN
{
	this->a = (uint8_t *)alloca(20);
	printf("%s", inet_ntoa6((in6_addr_t *)this->a));
	this->a[15] = 1;
	printf(" %s", inet_ntoa6((in6_addr_t *)this->a));
	this->a[12] = 10;
	printf(" %s", inet_ntoa6((in6_addr_t *)this->a));
	this->a[10] = 0xff;
	this->a[11] = 0xff;
	printf(" %s\n", inet_ntoa6((in6_addr_t *)this->a));
	printf("%s\n%s\n%s\n", link_ntop(1, this->a), link_ntop(32, this->a), link_ntop(2, this->a));
	exit(0);
}
