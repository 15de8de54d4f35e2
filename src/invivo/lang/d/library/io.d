/*
 * bufinfo_t and devinfo_t: what is told of a request to a block device and of the device, made from a struct bio.
 *
 *	io:::start { @[args[1]->dev_statname, args[0]->b_flags & B_READ ? "read" : "write"] = sum(args[0]->b_bcount); }
 *
 * At io:::done of a driver with requests of its own, it tells of the request's first bio (see providers/io.py).
 * Not to be had: b_addr (the data are pages, which have no address in the kernel), b_resid (the kernel does not keep it).
 */

typedef struct bufinfo {
	int b_flags;		/* B_READ or B_WRITE, and others */
	size_t b_bcount;	/* bytes; where a driver without requests of its own is done, 0 */
	size_t b_bufsize;	/* the same */
	uint64_t b_lblkno;	/* sector of 512 bytes on the disk */
	uint64_t b_blkno;	/* the same */
	uintptr_t b_iodone;	/* the kernel's function that is called at the end */
	int b_error;		/* the block layer's status, which drivers with requests set after io:::done */
	dev_t b_edev;		/* the device, major number times 2^20 plus minor number */
} bufinfo_t;

inline int B_BUSY = 0x00000001;
inline int B_DONE = 0x00000002;
inline int B_ERROR = 0x00000004;
inline int B_PAGEIO = 0x00000010;
inline int B_PHYS = 0x00000020;
inline int B_READ = 0x00000040;
inline int B_WRITE = 0x00000100;
inline int B_ASYNC = 0x00000400;

/* include/linux/blk_types.h: operations with odd numbers write; writing is asynchronous unless it says otherwise. */
inline int __is_write[struct bio *b] = b->bi_opf & 1;
inline int __is_sync[struct bio *b] =
    !__is_write[b] || (b->bi_opf & (1 << __REQ_SYNC | 1 << __REQ_FUA | 1 << __REQ_PREFLUSH)) != 0;

translator bufinfo_t < struct bio *B > {
	b_flags = B_BUSY | (__is_write[B] ? B_WRITE : B_READ) | (__is_sync[B] ? 0 : B_ASYNC) | (B->bi_status ? B_ERROR : 0);
	b_bcount = B->bi_iter.bi_size;
	b_bufsize = B->bi_iter.bi_size;
	b_lblkno = B->bi_iter.bi_sector;
	b_blkno = B->bi_iter.bi_sector;
	b_iodone = (uintptr_t)B->bi_end_io;
	b_error = B->bi_status;
	b_edev = __bio_device[B];
};

typedef struct devinfo {
	int dev_major;
	int dev_minor;
	int dev_instance;	/* the same as dev_minor */
	string dev_name;	/* the driver of the disk's controller, or the disk's name */
	string dev_statname;	/* the name of the disk or partition, as in /proc/diskstats */
	string dev_pathname;	/* /dev/NAME */
} devinfo_t;

translator devinfo_t < struct bio *B > {
	dev_major = __bio_device[B] >> 20;
	dev_minor = __bio_device[B] & 0xfffff;
	dev_instance = __bio_device[B] & 0xfffff;
	dev_name = __bio_driver[B];
	dev_statname = __bio_name[B];
	dev_pathname = strjoin("/dev/", __bio_name[B]);
};
