// SPDX-License-Identifier: GPL-2.0
/*
 * In place of alarmtimer.c and timer_list.c: clocks whose timers wake a sleeping machine. There is no clock with a battery, and then Linux' own code answers
 * as this does. timerfd asks for a power first that no builder has, so what is behind it ends the machine. Of all timers no list is written, not even at a panic.
 */
#include <linux/alarmtimer.h>
#include <linux/errno.h>
#include <linux/panic.h>
#include <linux/posix-timers.h>
#include "posix-timers.h"

static int no_time(const clockid_t clock, struct timespec64 *time)
{
    return -EINVAL;
}

static ktime_t no_ktime(clockid_t clock)
{
    return -EINVAL;
}

static int no_timer(struct k_itimer *timer)
{
    return -EOPNOTSUPP;
}

static int no_sleep(const clockid_t clock, int flags, const struct timespec64 *time)
{
    return -EOPNOTSUPP;
}

const struct k_clock alarm_clock = {
    .clock_getres = no_time,
    .clock_get_timespec = no_time,
    .clock_get_ktime = no_ktime,
    .timer_create = no_timer,
    .nsleep = no_sleep,
};

void no_alarm(void);
void no_alarm(void)
{
    panic("an alarm that is left out was set from %px\n", __builtin_return_address(0));
}

#define LEFT_OUT(name) asm(".globl " #name "\n.set " #name ", no_alarm\n")
LEFT_OUT(alarm_cancel);
LEFT_OUT(alarm_expires_remaining);
LEFT_OUT(alarm_forward_now);
LEFT_OUT(alarm_init);
LEFT_OUT(alarm_restart);
LEFT_OUT(alarm_start);
LEFT_OUT(alarm_start_relative);
LEFT_OUT(alarm_try_to_cancel);

void sysrq_timer_list_show(void);
void sysrq_timer_list_show(void)
{
}
