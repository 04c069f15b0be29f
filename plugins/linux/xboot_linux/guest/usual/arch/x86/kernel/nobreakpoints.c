// SPDX-License-Identifier: GPL-2.0
/* In place of hw_breakpoint.c: no debug register of the processor is ever in use, so there is nothing to save or restore. */
#include <linux/percpu.h>
#include <asm/debugreg.h>

DEFINE_PER_CPU(unsigned long, cpu_dr7);

void hw_breakpoint_restore(void)
{
}
