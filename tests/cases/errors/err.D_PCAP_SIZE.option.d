/* pcapsize has a limit. */
#pragma D option pcapsize=1m
/* line: 4 */
BEGIN { pcap(0, 0); }
