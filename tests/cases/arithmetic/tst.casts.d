/* A cast keeps the low bits of the value, and reads them as its type says. */
#pragma D option quiet

BEGIN
{
	x = 300;
	l = 0x100000001;
	m = -1;
	printf("%d %d %d\n", (char)x, (int)l, (unsigned short)m);
	printf("%d %d %d\n", (int8_t)0x80, (uint8_t)m, (int16_t)0x18000);
	printf("%u %d\n", (uint64_t)m, (int)(uint64_t)m);
	printf("%u %d\n", (uint32_t)m, (int64_t)(uint32_t)m);
	exit(0);
}
