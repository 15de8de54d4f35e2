/*
 * Addresses and byte orders of networks.
 *
 *	printf("%s:%d", inet_ntoa(&this->sin->sin_addr.s_addr), ntohs(this->sin->sin_port));
 *
 * Addresses are read where they lie: in the kernel, in the process if the pointer leads there, or in memory of one's own.
 * Byte orders are those of little-endian machines, which all are that invivo knows.
 */

typedef uint32_t ipaddr_t;
typedef struct in6_addr in6_addr_t;

/* a 16-bit number in the byte order of networks */
function uint16_t htons(uint16_t number)
{
	return number << 8 | number >> 8;
}

/* a 32-bit number in the byte order of networks */
function uint32_t htonl(uint32_t number)
{
	return number >> 24 | (number >> 8 & 0xff00) | (number & 0xff00) << 8 | number << 24;
}

/* a 64-bit number in the byte order of networks */
function uint64_t htonll(uint64_t number)
{
	uint32_t low = number;
	uint32_t high = number >> 32;

	return (uint64_t)htonl(low) << 32 | htonl(high);
}

/* a 16-bit number from the byte order of networks */
function uint16_t ntohs(uint16_t number)
{
	return htons(number);
}

/* a 32-bit number from the byte order of networks */
function uint32_t ntohl(uint32_t number)
{
	return htonl(number);
}

/* a 64-bit number from the byte order of networks */
function uint64_t ntohll(uint64_t number)
{
	return htonll(number);
}

/* Four bytes as "192.0.2.1". */
function string __dotted(uint8_t *b)
{
	return strjoin(strjoin(strjoin(lltostr(b[0]), "."), strjoin(lltostr(b[1]), ".")),
	    strjoin(strjoin(lltostr(b[2]), "."), lltostr(b[3])));
}

/* What the packets of pcap() begin with: pcap-linktype(7). */
inline int PCAP_NULL = 0;
inline int PCAP_ETHERNET = 1;
inline int PCAP_PPP = 9;
inline int PCAP_IP = 101;
inline int PCAP_WIFI = 105;
inline int PCAP_IPNET = 226;
inline int PCAP_INFINIBAND = 247;

/* an IPv4 address as text: "192.0.2.1" */
function string inet_ntoa(ipaddr_t *address)
{
	return __dotted((uint8_t *)address);
}

/* a number in hexadecimal, without the 0x */
inline string __hex[uint64_t number] = substr(lltostr(number, 16), 2);

/*
 * The longest run of zero words, two at least, becomes "::"; of two that are as long, the first. Where an IPv4 address is
 * kept in one of IPv6, its four bytes are written as such.
 */
/* with is_strict such an address is one of IPv6: "::ffff:10.0.0.1"; else it is shown as that of IPv4 */
function string __inet6(in6_addr_t *address, int is_strict)
{
	uint8_t *b = (uint8_t *)address;
	int best = -1;
	int longest = 1;
	int start = 0;
	int run = 0;
	int words = 8;
	string text = "";

	for (int i = 0; i < 8; i++) {
		if (b[2 * i] != 0 || b[2 * i + 1] != 0) {
			run = 0;
			continue;
		}
		if (run == 0)
			start = i;
		run++;
		if (run > longest) {
			longest = run;
			best = start;
		}
	}
	if (best == 0 && (longest == 6 || (longest == 7 && b[14] != 0) || (longest == 5 && b[10] == 0xff && b[11] == 0xff)))
		words = 6;
	if (words == 6 && !is_strict)
		return __dotted(b + 12);
	for (int i = 0; i < words; i++) {
		if (best >= 0 && i >= best && i < best + longest) {
			if (i == best)
				text = strjoin(text, "::");
			continue;
		}
		if (i > 0 && i != best + longest)
			text = strjoin(text, ":");
		text = strjoin(text, __hex[b[2 * i] << 8 | b[2 * i + 1]]);
	}
	if (words == 6)
		text = strjoin(strjoin(text, longest == 5 ? ":" : ""), __dotted(b + 12));
	return text;
}

/* an address of the family AF_INET or AF_INET6 as text */
function string inet_ntop(int family, void *address)
{
	if (family == 2)
		return inet_ntoa((ipaddr_t *)address);
	if (family == 10)
		return __inet6((in6_addr_t *)address, 1);
	return "<unknown address family>";
}

/* a hardware address of the type ARPHRD_ETHER (1) or ARPHRD_INFINIBAND (32) as text: "52:54:00:12:34:56" */
function string link_ntop(int type, void *address)
{
	uint8_t *b = (uint8_t *)address;
	int bytes = type == 1 ? 6 : type == 32 ? 20 : 0;
	string text = "";

	for (int i = 0; i < bytes; i++)
		text = strjoin(strjoin(text, i > 0 ? ":" : ""), substr(lltostr(0x100 | b[i], 16), 3));
	return bytes > 0 ? text : "<unknown hardware type>";
}
