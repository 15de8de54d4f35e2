"""Time to compile a realistic script of 300 lines, cold: front end, code generator, LLVM; and where it goes.

    bench/compile_time.py [--show]      the bar: one second. --show prints the script.

The script is of the kind that people keep: a usage header, options, declarations, translators,
thread-local timing of a dozen
system calls, aggregations with several keys, printed by a tick and at the end. The kernel's type index is there,
as after
any first use. Nothing here is cached: `invivo run` keeps the result, and a second run compiles nothing.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from _peers import verdict

LINES = 300
ROUNDS = 7
BAR_S = 1.0

HEAD = """#pragma D option quiet
#pragma D option defaultargs
#pragma D option strsize=64
#pragma D option switchrate=10hz

typedef struct total {
	uint64_t bytes;
	uint64_t calls;
	int last;
} total_t;

enum kind { KIND_READ, KIND_WRITE, KIND_OTHER = 10 };

inline int MINIMUM_NS = 1000;
inline uint64_t milliseconds[uint64_t ns] = ns / 1000000;

uint64_t calls[string, int];
string names[int];
self uint64_t started;
self string path;
this string what;

BEGIN
{
	interval = $1 ? $1 : 5;
	total = 0;
	failures = 0;
	names[KIND_READ] = "read";
	names[KIND_WRITE] = "write";
	names[KIND_OTHER] = "other";
	printf("Tracing... each %d seconds. Ctrl-C ends.\\n", interval);
}
"""

# One of these for each system call.
CALL = """
/* {call}: how long, how often, how large */
syscall::{call}:entry
/pid != $pid && execname != "sshd"/
{{
	self->started = timestamp;
	self->size_{call} = arg2;
	@entered["{call}", execname, pid] = count();
}}

syscall::{call}:return
/self->started && timestamp - self->started > MINIMUM_NS/
{{
	this->took = timestamp - self->started;
	this->what = errno != 0 ? strjoin("failed ", execname) : execname;
	@latency["{call}", this->what] = quantize(this->took);
	@longest["{call}"] = max(milliseconds[this->took]);
	@sizes[probefunc] = lquantize(self->size_{call}, 0, 65536, 4096);
	calls["{call}", errno]++;
	total += this->took;
	failures += errno != 0;
	self->started = 0;
	self->size_{call} = 0;
}}
"""

TAIL = """
proc:::exec-success
{
	@execs[curpsinfo->pr_fname, stringof(curthread->comm)] = count();
	printf("%-20Y %-16s %6d %s\\n", walltimestamp, execname, pid, curpsinfo->pr_psargs);
}

sched:::off-cpu
/curpsinfo->pr_pid != 0/
{
	self->off = timestamp;
}

sched:::on-cpu
/self->off/
{
	@off[execname] = sum((timestamp - self->off) / 1000);
	self->off = 0;
}

profile:::profile-97
/arg0 != 0/
{
	@kernel[stack(5)] = count();
}

profile:::tick-1s
/--interval == 0/
{
	interval = $1 ? $1 : 5;
	trunc(@entered, 20);
	normalize(@off, 1000);
	printf("%-16s %-20s %8s %10s\\n", "CALL", "COMMAND", "PID", "COUNT");
	printa("%-16s %-20s %8d %@10d\\n", @entered);
	printa("%-16s %@d ms\\n", @longest);
	clear(@entered);
}

END
{
	printf("%d ns in %d failures, %s\\n", total, failures, names[KIND_WRITE]);
	printa("  %s %s %@d\\n", @latency);
	printa(@sizes);
	trunc(@kernel, 5);
}
"""

CALLS = ("read", "write", "openat", "close", "newfstatat", "mmap", "pread64", "pwrite64", "futex")


def script() -> str:
    """The script; it has about LINES lines, blank ones and comments included."""
    text = HEAD + "".join(CALL.format(call=call) for call in CALLS) + TAIL
    missing = LINES - text.count("\n")
    return text + "".join(f"\n/* {n} */\nprofile:::tick-{n}min {{ ticks++; }}\n" for n in range(1, missing // 3 + 1))


def stages(text: str) -> dict[str, float]:
    """Seconds of each stage of one compilation: of the processor, and (the last) of the clock on the wall."""
    clock, wall = time.process_time, time.perf_counter()
    start = clock()
    from invivo.codegen import compile_program
    from invivo.codegen.formatter import compile_formatter
    from invivo.engines.traits import kernel_traits
    from invivo.lang.d import compile_text
    from invivo.lang.d.decode import read_source
    from invivo.lang.d.macros import MacroValues
    from invivo.providers.catalog import Catalog
    from invivo.providers.kernel_types import KernelTypes

    took = {"imports": clock() - start}

    def lap(name: str) -> None:
        took[name] = clock() - start - sum(took.values())

    types = KernelTypes()
    traits = kernel_traits(types)
    catalog = Catalog(types, traits)
    source = read_source("bench.d", text.encode())
    program = compile_text(source, types=types, catalog=catalog, macros=MacroValues([], "bench.d"), options={})
    lap("front end")
    plan = compile_program(program, traits)
    lap("code generator, LLVM")
    compile_formatter(plan)
    lap("formatter")
    took["all"] = sum(took.values())
    took["all, on the wall"] = time.perf_counter() - wall
    return took


def main() -> None:
    import json
    import subprocess

    parser = argparse.ArgumentParser(description="Measure how long a script of 300 lines takes to compile.")
    parser.add_argument("--show", action="store_true", help="print the script")
    parser.add_argument("--once", action="store_true", help="one compilation in this process, as JSON")
    parser.add_argument("--profile", action="store_true", help="one compilation in this process, profiled")
    options = parser.parse_args()
    text = script()
    if options.show:
        print(text)
    elif options.once:
        print(json.dumps(stages(text)))
    elif options.profile:
        import cProfile
        import pstats

        profile = cProfile.Profile()
        profile.runcall(stages, text)
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
    else:
        rounds = [
            json.loads(subprocess.run([sys.executable, __file__, "--once"], check=True, capture_output=True).stdout)
            for _ in range(ROUNDS)
        ]
        print(f"a script of {LINES} lines, compiled in a fresh process, seconds (median of {ROUNDS})")
        for name in rounds[0]:
            print(f"  {name:24} {statistics.median(each[name] for each in rounds):7.3f}")
        verdict("300 lines, seconds", statistics.median(each["all, on the wall"] for each in rounds), BAR_S)


if __name__ == "__main__":
    main()
