#!/usr/sbin/dtrace -s
/*
 * iosize.d - block I/O as it is started: device, direction, bytes.
 */

#pragma D option quiet

io:::start
{
	@bytes[args[1]->dev_statname, args[0]->b_flags & B_READ ? "R" : "W"] = sum(args[0]->b_bcount);
	@ios = count();
}

dtrace:::END
{
	printf("%-10s %3s %12s\n", "DEVICE", "R/W", "BYTES");
	printa("%-10s %3s %@12d\n", @bytes);
	printa("I/O operations: %@d\n", @ios);
}
