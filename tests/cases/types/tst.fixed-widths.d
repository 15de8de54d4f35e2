/* The types with a width in their names. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", sizeof (int8_t), sizeof (int16_t), sizeof (int32_t), sizeof (int64_t));
	printf("%d %d %d %d\n", sizeof (uint8_t), sizeof (uint16_t), sizeof (uint32_t), sizeof (uint64_t));
	printf("%d %d %d\n", sizeof (size_t), sizeof (uintptr_t), sizeof (ushort_t));
	printf("%d %d\n", (int16_t)-1 < 0, (uint16_t)-1 < 0);
	exit(0);
}
