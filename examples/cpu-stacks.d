#!/usr/bin/env -S invivo run
/*
 * What the kernel is busy with: kernel stacks sampled 997 times a second, the ten most frequent.
 *
 * Usage: invivo run examples/cpu-stacks.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

profile-997
/arg0 != 0/
{
    @[stack()] = count();
}

END
{
    trunc(@, 10);
}
