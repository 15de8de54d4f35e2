/* A structure is no packet. */
/* line: 4 */
struct { int a; } arg;
BEGIN { pcap(arg, 0); }
