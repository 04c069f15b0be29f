/* segments.c: System V's shared memory: by key and by number, what it shows, how many have it, and its end. Both of i386's ways to these calls. */

enum { OF_KEY = 0, OF_OWNER = 1, OF_MODE = 5, OF_SIZE = WIDE ? 12 : 9, OF_MANY = WIDE ? 22 : 18, SEGMENT_WORDS = WIDE ? 28 : 21 }; /* shmid64_ds, by 4 bytes; the last: how many have it */

static int segment_word(int id, int field)
{
    u32 w[SEGMENT_WORDS];
    int error = sys(SHMCTL, id, 2, w);

    return error < 0 ? error : (int)w[field];
}

static int segment_child(volatile u32 *words, int id)
{
    words[1] = 66;
    return segment_word(id, OF_MANY);
}

static void segments(void)
{
    volatile u32 *words, *other;
    u32 w[SEGMENT_WORDS];
    word place;
    int id, pid, n;

    section("segments");
    say("none yet", sys(SHMGET, 7, 4096, 0600));
    say("of no size", sys(SHMGET, 0, 0, IPC_CREAT | 0600));
    id = sane("made", sys(SHMGET, 7, 5000, IPC_CREAT | IPC_EXCL | 0640));
    say("once", sys(SHMGET, 7, 5000, IPC_CREAT | IPC_EXCL | 0640));
    say("found", sys(SHMGET, 7, 0, 0) == id);
    say("found anew", sys(SHMGET, 7, 5000, IPC_CREAT | 0600) == id);
    say("smaller than that", sys(SHMGET, 7, 5001, 0));
    say("more rights than it gives", sys(SHMGET, 7, 0, 0700));
    say("by the other way", sys(IPC, 23, 7, 5000, 0) == id);
    words = (volatile u32 *)sys(SHMAT, id, 0, 0);
    say("attached", (word)words < (word)-4096 && !((word)words & 4095));
    say("zeros", (int)(words[0] | words[1249] | words[2047]));
    say("key", segment_word(id, OF_KEY));
    say("owner", segment_word(id, OF_OWNER) == sys(GETUID));
    say("mode", segment_word(id, OF_MODE));
    say("size", segment_word(id, OF_SIZE));
    say("one has it", segment_word(id, OF_MANY));
    say("limits", sys(SHMCTL, 0, IPC_INFO, w));
    say("least size", (int)w[WIDE ? 2 : 1]);
    say("most of them", (int)w[WIDE ? 4 : 2]);
    say("most pages", w[WIDE ? 8 : 4] == 0xfeffffff);
    say("limits of a negative number", sys(SHMCTL, -1, IPC_INFO, w));
    say("limits to nowhere", sys(SHMCTL, 0, IPC_INFO, KERNEL));
    place = 0;
    say("to be read, by the other way", sys(IPC, 21, id, 010000, &place, 0));
    other = (volatile u32 *)place;
    words[0] = 55;
    say("the same memory", (int)other[0]);
    pid = sys(FORK);
    if (!pid)
        sys(EXIT, segment_child(words, id));
    say("a child has both", child_status(pid) >> 8);
    say("its word", (int)words[1]);
    say("it is gone", segment_word(id, OF_MANY));
    pid = sys(FORK);
    if (!pid) {
        *other = 1;
        sys(EXIT, 0);
    }
    say("not to be written", child_status(pid) & 127);
    say("nor ever", sys(MPROTECT, other, 4096, 3));
    say("detached", sys(SHMDT, other));
    say("again", sys(SHMDT, other));
    say("at no page", sys(SHMDT, (word)words + 4));
    say("at no page", sys(SHMAT, id, 0x30000123, 0));
    say("rounded", sys(SHMAT, id, 0x30000123, 020000) == 0x30000000);
    say("over another", sys(SHMAT, id, 0x30000000, 0));
    say("in its place", sys(SHMAT, id, 0x30000000, 040000) == 0x30000000);
    say("two have it", segment_word(id, OF_MANY));
    say("a page less", sys(MUNMAP, 0x30000000, 4096));
    say("detached by its begin", sys(IPC, 22, 0, 0, 0, 0x30000000));
    say("one has it", segment_word(id, OF_MANY));
    say("locked", (sys(SHMCTL, id, 11, 0), segment_word(id, OF_MODE)));
    say("no more", (sys(SHMCTL, id, 12, 0), segment_word(id, OF_MODE)));
    sys(SHMCTL, id, 2, w);
    w[OF_MODE] = 0400;
    say("another mode", sys(SHMCTL, id, 1, w));
    say("which is", segment_word(id, OF_MODE));
    say("forbids", sys(SHMAT, id, 0, 0));
    say("removed", sys(IPC, 24, id, 0, 0, 0));
    say("its key is free", sys(SHMGET, 7, 0, 0));
    say("it says so", segment_word(id, OF_MODE));
    say("its memory is there", (int)words[0]);
    place = (word)sys(SHMAT, id, 0, 010000);
    say("and for others", (int)*(u32 *)place);
    say("not for the last", (sys(SHMDT, place), sys(SHMDT, words)));
    say("it is no more", segment_word(id, OF_MODE));
    say("nor to be attached", sys(SHMAT, id, 0, 0));
    id = sys(SHMGET, 0, 4096, 0600);
    say("another without a key", sys(SHMGET, 0, 4096, 0600) != id);
    say("no such command", sys(SHMCTL, id, 99, 0));
    say("told to nobody", sys(SHMCTL, id, 2, KERNEL));
    pid = sys(FORK);
    if (!pid)
        sys(EXIT, sys(SHMAT, id, 0, 0) == 0);
    say("has ended with it", child_status(pid));
    say("nobody has it", segment_word(id, OF_MANY));
    say("removed", sys(SHMCTL, id, 0, 0));
    say("no such", sys(SHMCTL, id, 0, 0));
    for (n = 0; n < 5000; n++) {
        id = sys(SHMGET, 0, 4096, 0600);
        words = (u32 *)sys(SHMAT, id, 0, 0);
        if (id < 0 || sys(SHMCTL, id, 0, 0) || sys(SHMDT, words))
            break;
    }
    say("as often as one likes", n);
}
