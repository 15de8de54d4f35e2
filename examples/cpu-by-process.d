#!/usr/bin/env -S invivo run
/*
 * Who uses the CPUs: samples 97 times a second on each CPU, by process.
 *
 * Usage: invivo run examples/cpu-by-process.d        (Ctrl-C ends it)
 *
 * PROCESS               PID  SAMPLES
 * bash                25222        1
 * bash                25225        1
 * bash                25239        2
 * python3             25214        4
 * python              25004       11
 */
#pragma D option quiet

profile-97
/pid != 0/
{
    @[execname, pid] = count();
}

END
{
    printf("%-16s %8s %8s\n", "PROCESS", "PID", "SAMPLES");
    printa("%-16s %8d %@8d\n", @);
}
