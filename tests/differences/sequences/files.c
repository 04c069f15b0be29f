/* files.c: calls on files, folders, links and descriptors. Nothing is waited for: FIFOs are opened, and descriptors left, with O_NONBLOCK. */

enum { UTIMES_NOW = 0, MKNODAT = 297, FLOCK = 143, FSYNC = 118, PREADV = 333, PWRITEV = 334, SENDFILE = 187, COPY_FILE_RANGE = 377, MEMFD_CREATE = 356, FACCESSAT2 = 439 };

static void op_open(void)
{
    static const int extra[] = { O_CREAT, O_CREAT, O_CREAT | O_EXCL, O_CREAT | O_TRUNC, O_TRUNC, O_APPEND, O_APPEND | O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC, 010000000,
                                 O_CREAT | O_NOFOLLOW, 0, 0, 0, 0 };
    int flags = O_NONBLOCK | (one_in(3) ? (int)draw(2) : O_RDWR) | extra[draw(16)], mode = any_mode(), at = one_in(6) ? any_fd() : AT_FDCWD;
    const char *name = any_name();

    tell("openat %d %s %o %o = %d", at, name, flags, mode, opens(sys(OPENAT, at, name, flags, mode)));
}

static void op_close(void)
{
    int fd = any_fd();

    tell("close %d = %d", fd, closes(fd, sys(CLOSE, fd)));
}

static void op_dup(void)
{
    int fd = any_fd(), to = 3 + (int)draw(17), r;

    switch (draw(4)) {
    case 0: r = sys(DUP, fd); break;
    case 1: r = sys(DUP2, fd, to); break;
    case 2: r = sys(DUP3, fd, to, one_in(4) ? O_NONBLOCK : one_in(2) ? O_CLOEXEC : 0); break;
    default: r = sys(FCNTL64, fd, one_in(2) ? 0 : 1030, to); break;
    }
    tell("dup %d %d = %d", fd, to, opens(r));
}

static void op_flags(void)
{
    int fd = any_fd();

    switch (draw(4)) {
    case 0: tell("getfd %d = %d", fd, sys(FCNTL64, fd, 1)); break;
    case 1: tell("setfd %d = %d", fd, sys(FCNTL64, fd, 2, draw(2))); break;
    case 2: tell("getfl %d = %o", fd, sys(FCNTL64, fd, 3) & ~0100000); break;
    default: tell("setfl %d = %d", fd, sys(FCNTL64, fd, 4, O_NONBLOCK | (one_in(2) ? O_APPEND : 0)));
    }
}

static void op_read(void)
{
    int fd = any_fd(), n = any_size(), at = any_place(), r, first, vector[4];

    switch (draw(4)) {
    case 0:
        r = sys(PREAD, fd, buffer, n, at, at >> 31);
        tell("pread %d %d at %d = %d %x", fd, n, at, r, hash_of(buffer, r < 0 ? 0 : r, EMPTY));
        break;
    case 1:
        first = n < 24 ? n : n / 3; /* an event's eight bytes in one piece: docs/refusals.md */
        vector[0] = (int)buffer, vector[1] = first, vector[2] = (int)buffer + first, vector[3] = n - first;
        r = one_in(2) ? sys(READV, fd, vector, 2) : sys(PREADV, fd, vector, 2, at, at >> 31);
        tell("readv %d %d at %d = %d %x", fd, n, at, r, hash_of(buffer, r < 0 ? 0 : r, EMPTY));
        break;
    default:
        r = sys(READ, fd, buffer, n);
        tell("read %d %d = %d %x", fd, n, r, hash_of(buffer, r < 0 ? 0 : r, EMPTY));
    }
}

static void op_write(void)
{
    int fd = any_fd(), n = any_size(), at = any_place(), r, vector[4];

    if (flows(fd))
        n %= 700;
    fill_buffer((u32)n);
    switch (draw(4)) {
    case 0:
        r = sys(PWRITE, fd, buffer, n, at, at >> 31);
        break;
    case 1:
        vector[0] = (int)buffer, vector[1] = n / 3, vector[2] = (int)buffer + n / 3, vector[3] = n - n / 3;
        r = one_in(2) ? sys(WRITEV, fd, vector, 2) : sys(PWRITEV, fd, vector, 2, at, at >> 31);
        break;
    default:
        r = sys(WRITE, fd, buffer, n);
    }
    tell("write %d %d at %d = %d", fd, n, at, r);
}

static void op_seek(void)
{
    int fd = any_fd(), to = any_place(), whence = one_in(20) ? 7 : (int)draw(3);

    tell("lseek %d %d %d = %d", fd, to, whence, sys(LSEEK, fd, to, whence));
}

static void op_truncate(void)
{
    int fd = any_fd(), to = any_place();
    const char *name = any_name();

    if (one_in(3))
        tell("truncate %s %d = %d", name, to, sys(TRUNCATE, name, to));
    else
        tell("ftruncate %d %d = %d", fd, to, sys(FTRUNCATE, fd, to));
}

static void op_fallocate(void)
{
    int fd = any_fd(), mode = one_in(8) ? (int)draw(8) : one_in(2) ? 3 : (int)draw(2), at = any_place(), n = any_size();

    tell("fallocate %d %d %d %d = %d", fd, mode, at, n, sys(FALLOCATE, fd, mode, at, at >> 31, n, 0));
}

static void op_copy(void)
{
    int from = any_fd(), to = any_fd(), n = any_size(), in[2] = { 0, 0 }, out[2] = { 0, 0 }, r;

    n += !n;
    in[0] = any_size();
    out[0] = any_size();
    if (flows(to))
        n %= 700;
    if (!is_file(from) || !(is_file(to) || flows(to)))
        return; /* what moves of a pipe at once is not promised */
    if (same_file(from, to))
        return; /* what comes of a file that is read while it is written is not promised */
    if (one_in(2)) {
        r = one_in(2) ? sys(SENDFILE64, to, from, in, n) : sys(SENDFILE64, to, from, 0, n);
        tell("sendfile %d to %d %d = %d then %d", from, to, n, r, in[0]);
    } else if (has_name(from) == has_name(to)) { /* else they may lie in two file systems */
        r = sys(COPY_FILE_RANGE, from, one_in(2) ? 0 : in, to, one_in(2) ? 0 : out, n, 0);
        tell("copy_file_range %d to %d %d = %d then %d %d", from, to, n, r, in[0], out[0]);
    }
}

static void op_make(void)
{
    const char *name = any_name(), *other = any_name();
    int mode = any_mode();

    if (other[0] == '/')
        other = "a"; /* which links to others' files are allowed is the system's choice */
    switch (draw(8)) {
    case 0: case 1: case 2: tell("mkdir %s %o = %d", name, mode, sys(MKDIR, name, mode)); break;
    case 3: case 4: tell("symlink %s to %s = %d", name, other, sys(SYMLINK, other, name)); break;
    case 5: tell("link %s to %s = %d", name, other, sys(LINK, other, name)); break;
    case 6: tell("linkat %s to %s = %d", name, other, sys(LINKAT, AT_FDCWD, other, AT_FDCWD, name, 0x400)); break;
    default: tell("mknod %s %o = %d", name, mode, sys(MKNOD, name, mode | (one_in(3) ? 0100000 : one_in(2) ? 0140000 : 0010000), 0));
    }
}

static void op_remove(void)
{
    const char *name = any_name();

    switch (draw(3)) {
    case 0: tell("rmdir %s = %d", name, sys(RMDIR, name)); break;
    case 1: tell("unlinkat %s = %d", name, sys(UNLINKAT, AT_FDCWD, name, one_in(2) ? 0x200 : 0)); break;
    default: tell("unlink %s = %d", name, sys(UNLINK, name));
    }
}

static void op_rename(void)
{
    const char *name = any_name(), *to = any_name();
    u32 flags = one_in(2) ? 0 : draw(4);

    if (flags)
        tell("renameat2 %s %s %d = %d", name, to, flags, sys(RENAMEAT2, AT_FDCWD, name, AT_FDCWD, to, flags));
    else
        tell("rename %s %s = %d", name, to, sys(RENAME, name, to));
}

static void op_mode(void)
{
    const char *name = any_name();
    int fd = any_fd(), mode = any_mode();

    switch (draw(6)) {
    case 0: tell("fchmod %d %o = %d", fd, mode, sys(FCHMOD, fd, mode)); break;
    case 1: tell("umask %o = %o", mode & 077, sys(UMASK, mode & 077)); break;
    case 2: tell("access %s %d = %d", name, mode & 7, sys(ACCESS, name, mode & 7)); break;
    case 3: tell("chown %s = %d", name, sys(CHOWN, name, one_in(2) ? -1 : 1000, one_in(2) ? -1 : 100)); break;
    case 4: tell("lchown %s = %d", name, sys(LCHOWN, name, one_in(4) ? 5 : 1000, -1)); break;
    default: tell("chmod %s %o = %d", name, mode, sys(CHMOD, name, mode));
    }
}

/* What a name or descriptor is; folders have sizes that differ from kernel to kernel. */
static void tell_status(const char *what, int answer, const u32 *s)
{
    int folder = (s[4] & 0170000) == 0040000, file = (s[4] & 0170000) == 0100000 || (s[4] & 0170000) == 0120000;

    if (answer)
        tell("%s = %d", what, answer);
    else
        tell("%s mode %o links %d owner %d %d size %d", what, s[4], s[5], s[6], s[7], file ? s[11] : 0, folder);
}

static void op_status(void)
{
    const char *name = any_name();
    u32 s[24], i;
    int fd = any_fd(), r;

    for (i = 0; i < 24; i++)
        s[i] = 0;
    switch (draw(4)) {
    case 0:
        r = sys(FSTAT64, fd, s);
        if (r || (s[4] & 0170000) == 0100000 || (s[4] & 0170000) == 0040000)
            tell_status("fstat", r, s);
        break;
    case 1:
        r = sys(STAT64, name, s);
        tell("stat %s", name);
        tell_status("stat", r, s);
        break;
    case 2:
        r = sys(LSTAT64, name, s);
        tell("lstat %s", name);
        tell_status("lstat", r, s);
        break;
    default:
        r = sys(READLINK, name, buffer, 100);
        buffer[r < 0 || name[0] == '/' ? 0 : r] = 0; /* what is behind a descriptor is not always told alike */
        tell("readlink %s = %d %s", name, r < 0 ? r : 0, (char *)buffer);
    }
}

static void op_times(void)
{
    u32 times[4], s[24];
    const char *name = any_name();
    int r;

    times[0] = draw(1u << 28), times[1] = draw(1000000000), times[2] = draw(1u << 28), times[3] = draw(1000000000);
    if (one_in(4))
        times[1] = 0x3ffffffe; /* UTIME_OMIT */
    r = sys(UTIMENSAT, AT_FDCWD, name, times, one_in(4) ? 0x100 : 0);
    s[18] = s[19] = 0;
    if (!r)
        sys(STAT64, name, s);
    tell("utimensat %s = %d %d %d", name, r, s[18] == times[2], s[19] == times[3]);
}

static void op_folder(void)
{
    static const char *const places[] = { ".", "d", "d/e", "e", "e/d", "..", "c", "a", "no" };
    const char *name = places[draw(9)];
    int fd = any_fd(), r;

    if (one_in(3))
        tell("fchdir %d = %d", fd, sys(FCHDIR, fd));
    else
        tell("chdir %s = %d", name, sys(CHDIR, name));
    r = sys(GETCWD, buffer, 200);
    if (r < 0)
        buffer[0] = 0;
    tell("getcwd = %d %s", r, (char *)buffer);
    if (r < 0 || !same(buffer, "/build/w", 8)) /* never out of it, nor where there is nothing */
        tell("back = %d", sys(CHDIR, "/build/w/x"));
}

static void op_lock(void)
{
    struct { short type, whence; int start, length, pid; } range;
    int fd = any_fd(), command = 5 + (int)draw(2), r;

    if (one_in(4)) {
        r = (int)(1 << draw(4));
        r = r == 4 ? 1 : r;
        tell("flock %d %d = %d", fd, r, sys(FLOCK, fd, r | 4));
        return;
    }
    range.type = (short)draw(3);
    range.whence = (short)draw(3);
    range.start = (int)draw(40) - (one_in(8) ? 60 : 0);
    range.length = (int)draw(20) - (one_in(8) ? 20 : 0);
    range.pid = 0;
    r = sys(FCNTL64, fd, command, &range);
    tell("lock %d %d = %d %d %d %d %d", fd, command, r, range.type, range.whence, range.start, range.length);
}

static void op_other_files(void)
{
    int fd = any_fd(), n = 0, r;

    switch (draw(3)) {
    case 0: tell("fsync %d = %d", fd, sys(FSYNC, fd)); break;
    case 1: tell("memfd = %d", opens(sys(MEMFD_CREATE, "m", draw(4)))); break;
    default:
        if (one_in(2)) {
            r = sys(IOCTL, fd, 0x541b, &n); /* FIONREAD */
            tell("fionread %d = %d %d", fd, r, n);
        } else {
            tell("tty %d = %d", fd, sys(IOCTL, fd, 0x5401, buffer));
        }
    }
}

/* ---- all of a folder ---- */

static u32 hash_of_file(int at, const char *name)
{
    u32 hash = EMPTY;
    int fd = sys(OPENAT, at, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW), r;

    if (fd < 0)
        return (u32)fd;
    while ((r = sys(READ, fd, buffer, sizeof buffer)) > 0)
        hash = hash_of(buffer, (u32)r, hash);
    sys(CLOSE, fd);
    return hash;
}

/* The names in a folder, sorted, 16 bytes each at most. How many, or an error. */
static int names_in(int fd, char (*names)[16], int room)
{
    char entries[1024], (*place)[16];
    int n = 0, r, i, at;

    while ((r = sys(GETDENTS64, fd, entries, sizeof entries)) > 0)
        for (i = 0; i < r; i += *(u16 *)(entries + i + 16)) {
            const char *name = entries + i + 19;
            if ((name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]))) || n == room)
                continue;
            for (at = n; at > 0 && names[at - 1][0] > name[0]; at--)
                memcpy(names[at], names[at - 1], 16);
            place = names + at;
            for (at = 0; at < 15 && name[at]; at++)
                (*place)[at] = name[at];
            (*place)[at] = 0;
            n++;
        }
    return r < 0 ? r : n;
}

static void walk(int at, const char *name, int deep)
{
    char names[16][16];
    u32 s[24];
    int fd, n, i;

    fd = sys(OPENAT, at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    n = fd < 0 ? fd : names_in(fd, names, 16);
    tell("folder %s = %d", name, n);
    for (i = 0; i < n; i++) {
        if (sys(FSTATAT64, fd, names[i], s, 0x100))
            continue;
        tell_status(names[i], 0, s);
        if ((s[4] & 0170000) == 0100000)
            tell("content %x", hash_of_file(fd, names[i]));
        else if ((s[4] & 0170000) == 0040000 && deep < 6)
            walk(fd, names[i], deep + 1);
    }
    if (fd >= 0)
        sys(CLOSE, fd);
}

static void op_list(void)
{
    char names[16][16];
    const char *name = one_in(2) ? "." : any_name();
    int fd = sys(OPEN, name, O_RDONLY | O_NONBLOCK | O_DIRECTORY), n, i;

    n = fd < 0 ? fd : names_in(fd, names, 16);
    tell("list %s = %d", name, same(name, "/", 1) && n > 0 ? 0 : n);
    for (i = 0; i < n && name[0] != '/'; i++)
        tell("  %s", names[i]);
    sys(CLOSE, fd);
}

/* A tree goes, whatever its modes are. */
static void remove_tree(int at, const char *name, int deep)
{
    char names[16][16];
    int fd, n, i;

    if (sys(UNLINKAT, at, name, 0) >= 0)
        return;
    sys(FCHMODAT, at, name, 0700);
    fd = sys(OPENAT, at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    n = fd < 0 ? 0 : names_in(fd, names, 16);
    for (i = 0; i < n && deep < 12; i++)
        remove_tree(fd, names[i], deep + 1);
    if (fd >= 0)
        sys(CLOSE, fd);
    sys(UNLINKAT, at, name, 0x200);
}
