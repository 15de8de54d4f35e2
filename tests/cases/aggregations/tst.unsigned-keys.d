/* A key prints by its type's own sign: a port of 16 bits, a device number, a user ID that means nobody. */
#pragma D option quiet

BEGIN
{
	@a[(uint8_t)200, (uint16_t)43255, (uint32_t)4294967295, (uint64_t)-1] = count();
	@b[(int8_t)200, (int16_t)43255, (int32_t)4294967295, (int64_t)-1] = count();
	exit(0);
}
