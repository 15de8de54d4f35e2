/* Floating-point numbers are printed, and become integers by a cast, without their fraction. The bits are IEEE 754's. */
#pragma D option quiet

BEGIN
{
	this->d = (uint64_t *)alloca(16);
	this->f = (uint32_t *)alloca(4);

	*this->d = 0x400921fb54442d18;
	printf("%f %.2f %10.3e|%-8g|\n", *(double *)this->d, *(double *)this->d, *(double *)this->d, *(double *)this->d);
	printf("%d %d\n", (int)*(double *)this->d, (long)*(double *)this->d);

	*this->d = 0xc0f86a0000000000;
	printf("%g %d\n", *(double *)this->d, (int)*(double *)this->d);

	*this->d = 0x3fefffffffffffff;
	printf("%d\n", (int)*(double *)this->d);

	*this->d = 0x43f0000000000000;
	printf("%g %d\n", *(double *)this->d, (long)*(double *)this->d);

	*this->d = 0xc3dfffffffffffff;
	printf("%d\n", (long)*(double *)this->d);

	*this->f = 0xc2290000;
	printf("%f %d\n", *(float *)this->f, (int)*(float *)this->f);

	this->d[0] = 0xc90fdaa22168c235;
	this->d[1] = 0xc000;
	printf("%.10f\n", *(long double *)this->d);

	*this->f = 0x3fc00000;
	trace(*(float *)this->f);
	exit(0);
}
