// SPDX-License-Identifier: GPL-2.0
/* In place of quirks.c: no board needs anything of its own. */
#include <linux/init.h>
#include <asm/setup.h>

bool x86_apple_machine; /* it is none */

void __init early_platform_quirks(void)
{
}
