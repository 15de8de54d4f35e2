#!/usr/bin/env -S invivo run
/*
 * C++ exceptions by the program and stack that throw them.
 *
 * Usage: invivo run examples/exceptions.d
 *
 *   demo
 *     libstdc++.so.6.0.30`__cxa_throw+0x41
 *     demo`parse(char const*)+0x2c
 *     demo`main+0x1a
 *     23
 */
usdt:libstdc++.so.6:libstdcxx:throw
{
	@[execname, ustack(8)] = count();
}
