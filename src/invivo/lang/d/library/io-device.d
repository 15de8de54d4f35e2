/*
 * The device of a request: number, name, and driver of what the disk hangs on (disks made by software have none).
 */

inline unsigned int __bio_device[struct bio *b] = b->bi_bdev->bd_dev;
inline string __bio_name[struct bio *b] = stringof(b->bi_bdev->bd_device.kobj.name);

inline struct device *__bio_parent[struct bio *b] = b->bi_bdev->bd_disk->part0->bd_device.parent;
inline string __bio_driver[struct bio *b] =
    __bio_parent[b] != NULL && __bio_parent[b]->driver != NULL
    ? stringof(__bio_parent[b]->driver->name) : stringof(b->bi_bdev->bd_disk->disk_name);
