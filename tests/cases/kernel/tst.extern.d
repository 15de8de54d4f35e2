/* needs: kernel */
/* The type of a symbol by declaration, where the kernel's own BTF has none: its BTF begins with a header. */
#pragma D option quiet

extern struct btf_header __start_BTF;

BEGIN
{
	printf("%x %d %d\n", __start_BTF.magic, vmlinux`__start_BTF.version, `__start_BTF.hdr_len);
	this->copy = __start_BTF;
	printf("%x %d\n", this->copy.magic, sizeof(this->copy));
	exit(0);
}
