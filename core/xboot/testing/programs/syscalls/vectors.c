/* vectors.c: readv and writev. */

static void vectors(void)
{
    struct { const void *base; word size; } v[4];
    char a[4], b[8];
    int fd = make("v", "", 0644);

    section("vectors");
    v[0].base = "abc";
    v[0].size = 3;
    v[1].base = BAD;
    v[1].size = 0;
    v[2].base = "defgh";
    v[2].size = 5;
    say("writev", sys(WRITEV, fd, v, 3));
    v[1].size = 5;
    say("writev with a bad piece", sys(WRITEV, fd, v, 3));
    say("writev bad vector", sys(WRITEV, fd, BAD, 2));
    say("writev negative count", sys(WRITEV, fd, v, -1));
    say("writev 1025", sys(WRITEV, fd, v, 1025));
    sys(LSEEK, fd, 0, 0);
    v[0].base = a;
    v[0].size = 4;
    v[1].base = b;
    v[1].size = 8;
    say("readv", sys(READV, fd, v, 2));
    say("readv content", same(a, "abcd", 4) && same(b, "efgh", 4));
    say("readv none", sys(READV, fd, v, 0));
    sys(CLOSE, fd);
    sys(UNLINK, "v");
}
