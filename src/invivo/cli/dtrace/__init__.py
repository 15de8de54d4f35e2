"""`invivo dtrace`: the command line of dtrace(8), over the public API.

    invivo dtrace -n 'syscall::read:entry { @[execname] = count(); }' -c 'ls /'
    invivo dtrace -s script.d 1234 /bin/ls            $1 and $2
    #!/usr/bin/env -S invivo dtrace -s

arguments   letters and words -> Arguments
programs    -n, -s ... -> one text, and what messages call its parts
preprocess  -C
listing     -l
header      -h
messages    errors, losses, "matched N probes", worded as dtrace words them
command     all of it, and the exit status
"""

from __future__ import annotations

from invivo.cli.dtrace.arguments import add_arguments
from invivo.cli.dtrace.command import main, run

__all__ = ["add_arguments", "main", "run"]
