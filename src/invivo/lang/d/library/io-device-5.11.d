/*
 * The same before Linux 5.12 (309dca309fc3), where a request had a disk and the number of a partition on it.
 * A partition's own name is not kept where it could be read safely: the disk's name stands for it.
 */

inline unsigned int __bio_device[struct bio *b] =
    b->bi_disk->major << 20 | b->bi_disk->first_minor + b->bi_partno;
inline string __bio_name[struct bio *b] = stringof(b->bi_disk->disk_name);

inline struct device *__bio_parent[struct bio *b] = b->bi_disk->part0.__dev.parent;
inline string __bio_driver[struct bio *b] =
    __bio_parent[b] != NULL && __bio_parent[b]->driver != NULL
    ? stringof(__bio_parent[b]->driver->name) : stringof(b->bi_disk->disk_name);
