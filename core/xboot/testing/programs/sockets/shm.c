/* shm.c: /dev/shm, as shm_open and sem_open use it: files that processes find by name, map and share. */

/* Waits until a word that others see is set. */
static void shm_wait(volatile u32 *word)
{
    while (!*word)
        sys(FUTEX, word, 0, 0, 0);
}

static void shm_set(volatile u32 *word)
{
    *word = 1;
    sys(FUTEX, word, 1, 99);
}

/* The child opens the file by its name, writes to a mapping of its own, and waits for an answer there. */
static int shm_child(void)
{
    int fd = sys(OPEN, "/dev/shm/memory", O_RDWR, 0);
    volatile u32 *words = (volatile u32 *)sys(MMAP2, 0, 8192, 3, 1, fd, 0);

    words[1500] = 1234;
    shm_set(words);
    shm_wait(words + 1);
    return words[1024] == 77 ? 5 : 1;
}

static void shm(void)
{
    volatile u32 *words;
    u32 word = 77;
    int fd, other, pid, s[16];

    section("shm");
    say("mode", (int)stat_word("/dev/shm", STAT_MODE));
    say("of root", (int)stat_word("/dev/shm", STAT_UID));
    say("memory", (sys(STATFS, "/dev/shm", s), s[0] == 0x01021994));
    fd = sane("made", sys(OPEN, "/dev/shm/memory", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    say("once", sys(OPEN, "/dev/shm/memory", O_RDWR | O_CREAT | O_EXCL, 0600));
    say("size", sys(FTRUNCATE, fd, 8192));
    words = (volatile u32 *)sys(MMAP2, 0, 8192, 3, 1, fd, 0);
    pid = sys(FORK);
    if (!pid)
        sys(EXIT, shm_child());
    shm_wait(words);
    say("what the child wrote", (int)words[1500]);
    say("as a file", (sys(PREAD, fd, &word, 4, 6000, 0), (int)word));
    word = 77;
    say("written", sys(PWRITE, fd, &word, 4, 4096, 0));
    shm_set(words + 1);
    say("the child saw it", child_status(pid) >> 8);
    other = sys(OPEN, "/dev/shm/unfinished", O_RDWR | O_CREAT | O_EXCL, 0600);
    say("linked", sys(LINK, "/dev/shm/unfinished", "/dev/shm/sem.finished"));
    say("not over another", sys(LINK, "/dev/shm/unfinished", "/dev/shm/memory"));
    say("removed", sys(UNLINK, "/dev/shm/unfinished"));
    say("and its other name", sys(UNLINK, "/dev/shm/sem.finished"));
    say("memory removed", sys(UNLINK, "/dev/shm/memory"));
    say("is no more", sys(OPEN, "/dev/shm/memory", O_RDWR, 0));
    say("but here", (int)words[1500]);
    say("a folder", (sys(MKDIR, "/dev/shm/d", 0777), sys(RMDIR, "/dev/shm/d")));
    sys(MUNMAP, words, 8192);
    sys(CLOSE, other);
    sys(CLOSE, fd);
}
