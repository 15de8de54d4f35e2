/* needs: kernel */
/* A program with pcap() loads, for any number that may be a packet's address; its link types are pcap-linktype(7)'s. */
#pragma D option quiet

int n;

rawtp:net::net_dev_queue /n < 0/ { pcap(arg0, PCAP_ETHERNET); }
BEGIN /pid == 0/ { pcap((struct sk_buff *)curthread->files, PCAP_IP); }

BEGIN
{
	n = 0;
	printf("%d %d %d\n", PCAP_ETHERNET, PCAP_IP, PCAP_INFINIBAND);
	exit(0);
}
