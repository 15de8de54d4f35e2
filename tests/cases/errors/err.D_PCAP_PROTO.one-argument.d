/* pcap() takes a packet and a link type. */
/* line: 3 */
BEGIN { pcap(0); }
