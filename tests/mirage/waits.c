/* Says so, and waits for good. */
static int sys(int n, long a, long b, long c) { int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory"); return r; }
void _start(void) {
    long day[2] = {86400, 0};
    sys(4, 1, (long)"waiting\n", 8);
    for (;;) sys(162, (long)day, 0, 0);
}
