/* Waits, awake, for twenty milliseconds of its own time by asking a timer what is left of it, and says whether it had to ask more often than where
   a question takes some microseconds. Then looks at the clock thrice: a wait for ten microseconds that began with the first must not be over. */
static int sys(int n, long a, long b, long c) { int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory"); return r; }
#define SAY(text) sys(4, 1, (long)text, sizeof text - 1)

void _start(void) {
    long timer[4] = {0, 0, 0, 20000}, left[4], asked = 0, now[2], then[2];
    sys(104, 1, (long)timer, 0); /* ITIMER_VIRTUAL; its signal would end the program, so nobody waits for it to the end */
    do {
        sys(105, 1, (long)left, 0), asked++;
    } while (left[3] > 1000 && asked < 100000);
    timer[3] = 0, sys(104, 1, (long)timer, 0);
    if (asked > 10 && asked < 4000) SAY("soon\n");
    else SAY("asked too often\n");

    sys(265, 1, (long)now, 0);
    sys(265, 1, (long)then, 0);
    sys(265, 1, (long)then, 0);
    if ((then[0] - now[0]) * 1000000000 + then[1] - now[1] < 10000) SAY("a wait is left\n");
    else SAY("no wait is left\n");
    sys(1, 0, 0, 0);
}
