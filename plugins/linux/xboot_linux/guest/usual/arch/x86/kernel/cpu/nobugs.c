// SPDX-License-Identifier: GPL-2.0
/*
 * In place of bugs.c: defences against processors that let one program guess at another's memory. CONFIG_SPECULATION_MITIGATIONS is off, so
 * none was ever chosen; this says so where the rest of the kernel asks. A program that asks with prctl is answered EINVAL.
 */
#include <linux/cpu.h>
#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <asm/bugs.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/spec-ctrl.h>
#include "cpu.h"

/* What would be written into registers of the processor, if it were. */
u64 x86_spec_ctrl_base;
u64 x86_pred_cmd;
u64 x86_amd_ls_cfg_base;
u64 x86_amd_ls_cfg_ssbd_mask;
DEFINE_PER_CPU(u64, x86_spec_ctrl_current);
DEFINE_PER_CPU(bool, x86_ibpb_exit_to_user);
void (*x86_return_thunk)(void) = &__x86_return_thunk;
enum l1tf_mitigations l1tf_mitigation = L1TF_MITIGATION_OFF;

/* What is done at each change of programs, or before the processor waits: nothing. */
DEFINE_STATIC_KEY_FALSE(switch_to_cond_stibp);
DEFINE_STATIC_KEY_FALSE(switch_mm_cond_ibpb);
DEFINE_STATIC_KEY_FALSE(switch_mm_always_ibpb);
DEFINE_STATIC_KEY_FALSE(switch_mm_cond_l1d_flush);
DEFINE_STATIC_KEY_FALSE(cpu_buf_idle_clear);
DEFINE_STATIC_KEY_FALSE(mmio_stale_data_clear);

void __init cpu_select_mitigations(void)
{
}

void cpu_bugs_smt_update(void)
{
}

void update_spec_ctrl_cond(u64 value)
{
}

noinstr u64 spec_ctrl_current(void)
{
    return 0;
}

void x86_spec_ctrl_setup_ap(void)
{
}

void update_srbds_msr(void)
{
}

void update_gds_msr(void)
{
}
