/* A thread's structure keeps its members from clause to clause. */
#pragma D option quiet

struct io { int fd; uint64_t bytes; string path; };
self struct io last;

BEGIN { self->last.fd = 3; self->last.path = "/etc/passwd"; self->last.bytes += 100; }
BEGIN { self->last.bytes += 11; self->last.fd--; }
BEGIN { printf("%d %d %s\n", self->last.fd, self->last.bytes, self->last.path); exit(0); }
