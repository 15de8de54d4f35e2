/* What is committed is shown in order; what is discarded is not. */
#pragma D option quiet
BEGIN { self->s = speculation(); printf("id %d\n", self->s); }
BEGIN { speculate(self->s); printf("held 1\n"); }
BEGIN { printf("now\n"); }
BEGIN { speculate(self->s); printf("held 2 %s\n", probename); }
BEGIN { commit(self->s); }
BEGIN { self->s = speculation(); printf("id %d\n", self->s); }
BEGIN { speculate(self->s); printf("never\n"); }
BEGIN { discard(self->s); }
BEGIN { speculate(self->s); printf("not in use\n"); }
BEGIN { speculate(0); printf("none\n"); }
BEGIN { commit(0); }
BEGIN { exit(0); }
