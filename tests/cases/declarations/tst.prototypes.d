/* Prototypes of functions declare; typed pointers to functions are kept and compared. */
#pragma D option quiet

int vfs_open(const char *, int, ...);
extern long vfs_seek(void);
int (*handler)(int, char *);
int (*table[2])(void);
struct ops { int (*open)(int); long (*close)(void); };
struct ops o;

BEGIN
{
	handler = (int (*)(int, char *))0x1000;
	table[1] = (int (*)(void))0x2000;
	o.close = (long (*)(void))0x3000;
	printf("%d %d %d\n", handler == NULL, (uintptr_t)handler == 0x1000, handler != 0);
	printf("%p %p %p\n", table[1], o.close, o.open);
	printf("%d %d\n", sizeof(handler), sizeof(o));
	exit(0);
}
