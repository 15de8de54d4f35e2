"""The typed program: what every front end produces and every engine runs. Pure data; no OS, no LLVM."""
