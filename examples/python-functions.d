#!/usr/bin/env -S invivo run
/*
 * Functions of Python programs by file and name: how often they return; and garbage collections by generation.
 *
 * Usage: invivo run examples/python-functions.d PATH-OF-PYTHON
 *
 * Python 3.11's function-entry fires only for functions that C code calls, function-return for all.
 *
 *   /tmp/fib.py                                         fib                                                      177
 */
usdt:$1:python:function-return
{
	@functions[copyinstr(arg0), copyinstr(arg1)] = count();
}

usdt:$1:python:gc-start
{
	@collections["collections of generation", arg0] = count();
}
