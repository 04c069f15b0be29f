/* listing.c: getdents. */

static void listing(void)
{
    enum { RECORD = 2 * sizeof(word) }; /* where getdents has the length */
    u8 buffer[4096];
    int fd, n, at, count = 0, i;
    char name[3] = "f?";

    section("listing");
    sys(MKDIR, "l", 0755);
    sys(CHDIR, "l");
    for (i = 0; i < 60; i++) {
        name[0] = (char)('A' + i / 10);
        name[1] = (char)('0' + i % 10);
        sys(CLOSE, make(name, "", 0644));
    }
    fd = sys(OPEN, ".", O_RDONLY | O_DIRECTORY);
    while ((n = sys(GETDENTS64, fd, buffer, 500)) > 0)
        for (at = 0; at < n; at += buffer[at + 16] | buffer[at + 17] << 8)
            count++;
    say("getdents64 ends with", n);
    say("entries with . and ..", count);
    say("getdents64 small", (sys(LSEEK, fd, 0, 0), sys(GETDENTS64, fd, buffer, 10)));
    say("getdents64 bad pointer", sys(GETDENTS64, fd, BAD, 4096));
    count = 0;
    sys(LSEEK, fd, 0, 0);
    while ((n = sys(GETDENTS, fd, buffer, 500)) > 0)
        for (at = 0; at < n; at += buffer[at + RECORD] | buffer[at + RECORD + 1] << 8)
            count++;
    say("getdents", count);
    sys(LSEEK, fd, 0, 0);
    count = 0;
    while ((n = sys(GETDENTS64, fd, buffer, 300)) > 0)
        for (at = 0; at < n; at += buffer[at + 16] | buffer[at + 17] << 8)
            if (buffer[at + 19] != '.')
                count += sys(UNLINK, buffer + at + 19) == 0;
    say("unlinked while reading", count);
    say("read a directory", sys(READ, fd, buffer, 10));
    say("getdents of a file", sys(GETDENTS64, 1, buffer, 4096));
    sys(CLOSE, fd);
    sys(CHDIR, "..");
    say("rmdir", sys(RMDIR, "l"));
}
