/* clocks.c: time and sleep. */

static void clocks(void)
{
    word a[2], b[2], t[2];

    section("clocks");
    say("clock_gettime", sys(CLOCK_GETTIME, 1, a));
    t[0] = 0;
    t[1] = 20000000;
    say("nanosleep", sys(NANOSLEEP, t, 0));
    sys(CLOCK_GETTIME, 1, b);
    say("time went on", (b[0] - a[0]) * 1000 + (b[1] / 1000000) - (a[1] / 1000000) >= 19);
    t[1] = 1000000000;
    say("nanosleep invalid", sys(NANOSLEEP, t, 0));
    say("nanosleep bad pointer", sys(NANOSLEEP, BAD, 0));
    sys(CLOCK_GETTIME, 0, a);
    t[0] = a[0] + (a[1] >= 980000000);
    t[1] = (a[1] + 20000000) % 1000000000;
    say("sleep until", sys(267, 0, 1, t, 0)); /* clock_nanosleep, TIMER_ABSTIME */
    sys(CLOCK_GETTIME, 0, b);
    say("until then", b[0] > t[0] || (b[0] == t[0] && b[1] >= t[1]));
    say("clock 99", sys(CLOCK_GETTIME, 99, a));
    say("clock_gettime bad pointer", sys(CLOCK_GETTIME, 0, BAD));
    say("time", sys(TIME, 0) > 900000000);
    say("times", sys(TIMES, 0) != -14);
    say("utimes missing", sys(UTIMES, "missing", 0));
    t[0] = 0;
    t[1] = 10000;
    say("select as a sleep", sys(SELECT, 0, 0, 0, 0, t));
}
