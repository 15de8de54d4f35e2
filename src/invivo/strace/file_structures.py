"""What the kernel tells of files, as text: stat, statx, statfs, flock.

    stat(*row)          "{st_mode=S_IFREG|0644, st_size=1871, ...}"
    statx_mask(0x7FF)   "STATX_BASIC_STATS"

In: the members of a structure in the order of its layout (see structures.py). Out: text.
Layouts and numbers: include/uapi/linux/stat.h, include/uapi/asm-generic/, arch/x86/include/uapi/asm/.
"""

from __future__ import annotations

from invivo.strace.flags import Names

__all__ = ["flock", "stat", "statfs", "statx", "statx_mask"]

_FILE_TYPES = {
    0o140000: "S_IFSOCK", 0o120000: "S_IFLNK", 0o100000: "S_IFREG", 0o060000: "S_IFBLK", 0o040000: "S_IFDIR",
    0o020000: "S_IFCHR", 0o010000: "S_IFIFO",
}  # fmt: skip


def stat(*row: int) -> str:
    """struct stat, its members in order."""
    mode, device, size = row[3], row[7], row[8]
    kind = _FILE_TYPES.get(mode & 0o170000, f"{mode & 0o170000:#o}")
    what = f"st_size={size}"
    if kind in ("S_IFCHR", "S_IFBLK"):
        major = device >> 8 & 0xFFF | device >> 32 & ~0xFFF
        minor = device & 0xFF | device >> 12 & ~0xFF
        what = f"st_rdev=makedev({_hexadecimal(major)}, {_hexadecimal(minor)})"
    return f"{{st_mode={kind}|{_permissions(mode)}, {what}, ...}}"


def _hexadecimal(value: int) -> str:
    return f"{value:#x}" if value else "0"


def _permissions(mode: int) -> str:
    bits = ((0o4000, "S_ISUID"), (0o2000, "S_ISGID"), (0o1000, "S_ISVTX"))
    return "".join(f"{name}|" for bit, name in bits if mode & bit) + f"{mode & 0o777:04o}"


_STATX_BITS = Names({
    "STATX_TYPE": 1, "STATX_MODE": 2, "STATX_NLINK": 4, "STATX_UID": 8, "STATX_GID": 0x10, "STATX_ATIME": 0x20,
    "STATX_MTIME": 0x40, "STATX_CTIME": 0x80, "STATX_INO": 0x100, "STATX_SIZE": 0x200, "STATX_BLOCKS": 0x400,
    "STATX_BASIC_STATS": 0x7FF, "STATX_BTIME": 0x800, "STATX_ALL": 0xFFF, "STATX_MNT_ID": 0x1000,
    "STATX_DIOALIGN": 0x2000,
})  # include/uapi/linux/stat.h  # fmt: skip

_STATX_ATTRIBUTES = Names({
    "STATX_ATTR_COMPRESSED": 4, "STATX_ATTR_IMMUTABLE": 0x10, "STATX_ATTR_APPEND": 0x20, "STATX_ATTR_NODUMP": 0x40,
    "STATX_ATTR_ENCRYPTED": 0x800, "STATX_ATTR_AUTOMOUNT": 0x1000, "STATX_ATTR_MOUNT_ROOT": 0x2000,
    "STATX_ATTR_VERITY": 0x100000, "STATX_ATTR_DAX": 0x200000,
})  # fmt: skip


def statx_mask(mask: int) -> str:
    """The members that are asked for."""
    return _STATX_BITS.text(mask)


def statx(*row: int) -> str:
    """struct statx, its members in order."""
    mode = row[6]
    kind = _FILE_TYPES.get(mode & 0o170000, f"{mode & 0o170000:#o}")
    what = f"stx_mode={kind}|{_permissions(mode)}, stx_size={row[8]}"
    return f"{{stx_mask={statx_mask(row[0])}, stx_attributes={_STATX_ATTRIBUTES.text(row[2])}, {what}, ...}}"


# include/uapi/linux/magic.h
_FILESYSTEMS = {
    0xEF53: "EXT2_SUPER_MAGIC", 0x01021994: "TMPFS_MAGIC", 0x9FA0: "PROC_SUPER_MAGIC", 0x62656572: "SYSFS_MAGIC",
    0x9123683E: "BTRFS_SUPER_MAGIC", 0x58465342: "XFS_SUPER_MAGIC", 0x794C7630: "OVERLAYFS_SUPER_MAGIC",
    0x6969: "NFS_SUPER_MAGIC", 0x1CD1: "DEVPTS_SUPER_MAGIC", 0x63677270: "CGROUP2_SUPER_MAGIC",
    0x27E0EB: "CGROUP_SUPER_MAGIC", 0x64626720: "DEBUGFS_MAGIC", 0x74726163: "TRACEFS_MAGIC",
    0xCAFE4A11: "BPF_FS_MAGIC",
    0x50495045: "PIPEFS_MAGIC", 0x534F434B: "SOCKFS_MAGIC", 0x73717368: "SQUASHFS_MAGIC",
    0x65735546: "FUSE_SUPER_MAGIC",
    0x6165676C: "PSTOREFS_MAGIC", 0x73636673: "SECURITYFS_MAGIC", 0x958458F6: "HUGETLBFS_MAGIC",
    0x19800202: "MQUEUE_MAGIC", 0xF97CFF8C: "SELINUX_MAGIC",
}  # fmt: skip
_MOUNT_FLAGS = Names({
    "ST_RDONLY": 1, "ST_NOSUID": 2, "ST_NODEV": 4, "ST_NOEXEC": 8, "ST_SYNCHRONOUS": 16, "ST_VALID": 32,
    "ST_MANDLOCK": 64, "ST_NOATIME": 1024, "ST_NODIRATIME": 2048, "ST_RELATIME": 4096,
}, later=("ST_RDONLY", "ST_NOSUID", "ST_NODEV", "ST_NOEXEC", "ST_SYNCHRONOUS", "ST_MANDLOCK", "ST_NOATIME",
          "ST_NODIRATIME", "ST_RELATIME"))  # include/linux/statfs.h  # fmt: skip
# include/uapi/asm-generic/fcntl.h
_LOCKS = {0: "F_RDLCK", 1: "F_WRLCK", 2: "F_UNLCK"}
_WHENCE = {0: "SEEK_SET", 1: "SEEK_CUR", 2: "SEEK_END"}


def statfs(*row: int) -> str:
    """struct statfs, its members in order."""
    kind = _FILESYSTEMS.get(row[0], f"{row[0]:#x}")
    id_ = f"{{val=[{row[7]:#x}, {row[8]:#x}]}}".replace("0x0", "0")
    names = ("bsize", "blocks", "bfree", "bavail", "files", "ffree")
    middle = ", ".join(f"f_{name}={value}" for name, value in zip(names, row[1:7], strict=True))
    end = f"f_namelen={row[9]}, f_frsize={row[10]}, f_flags={_MOUNT_FLAGS.text(row[11])}"
    return f"{{f_type={kind}, {middle}, f_fsid={id_}, {end}}}"


def flock(kind: int, whence: int, start: int, length: int, pid: int) -> str:
    """struct flock."""
    what = f"l_type={_LOCKS.get(kind, kind)}, l_whence={_WHENCE.get(whence, whence)}"
    return f"{{{what}, l_start={start}, l_len={length}}}"
