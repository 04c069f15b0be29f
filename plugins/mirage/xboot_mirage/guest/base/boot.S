/* From the PVH entry (32-bit, paging off, EBX = start info) to base_main in long mode at the top of the address space.
 *
 * Page tables made here: the first 4 GiB by 2 MiB pages, seen three times: at 0 (only until base_main drops it), at HHDM
 * (0xffff800000000000, all physical memory), and the first GiB at 0xffffffff80000000 (the image).
 */
#define PHYS(x) ((x) - 0xffffffff80000000)

        .section .note.Xen, "a", @note
        .align 4
        .long 4, 4, 18                  /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz "Xen"
        .long PHYS(pvh_entry)

        .section .text.boot, "ax"
        .code32
        .globl pvh_entry
pvh_entry:
        cli
        cld
        mov %ebx, PHYS(boot_info)
        /* page directories: 2048 entries of 2 MiB, present | writable | page size */
        mov $PHYS(boot_pd), %edi
        mov $0x83, %eax
        xor %edx, %edx
        mov $2048, %ecx
1:      mov %eax, (%edi)
        mov %edx, 4(%edi)
        add $0x200000, %eax
        add $8, %edi
        loop 1b
        /* page directory pointers */
        mov $PHYS(boot_pd) + 3, %eax
        mov %eax, PHYS(boot_pdpt)
        mov %eax, PHYS(boot_pdpt_top) + 510 * 8
        add $0x1000, %eax
        mov %eax, PHYS(boot_pdpt) + 8
        add $0x1000, %eax
        mov %eax, PHYS(boot_pdpt) + 16
        add $0x1000, %eax
        mov %eax, PHYS(boot_pdpt) + 24
        /* top level */
        movl $PHYS(boot_pdpt) + 3, PHYS(kernel_pml4)
        movl $PHYS(boot_pdpt) + 3, PHYS(kernel_pml4) + 256 * 8
        movl $PHYS(heap_pdpt) + 3, PHYS(kernel_pml4) + 384 * 8
        movl $PHYS(boot_pdpt_top) + 3, PHYS(kernel_pml4) + 511 * 8

        mov $0x6a0, %eax                /* PAE, PGE, OSFXSR, OSXMMEXCPT */
        mov %eax, %cr4
        mov $PHYS(kernel_pml4), %eax
        mov %eax, %cr3
        mov $0xc0000080, %ecx           /* EFER: SCE, LME, NXE */
        mov $0x901, %eax
        xor %edx, %edx
        wrmsr
        mov $0x80010033, %eax           /* PG, WP, NE, ET, MP, PE */
        mov %eax, %cr0
        lgdt PHYS(boot_gdt_ptr)
        ljmp $8, $PHYS(1f)
        .code64
1:      movabs $2f, %rax
        jmp *%rax
2:      xor %eax, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        mov %eax, %fs
        mov %eax, %gs
        mov $boot_stack_top, %rsp
        mov boot_info(%rip), %edi
        call base_main
        ud2

/* enter_ocaml(stack): leave the boot stack for good. */
        .text
        .globl enter_ocaml
enter_ocaml:
        mov %rdi, %rsp
        xor %ebp, %ebp
        call ocaml_main
        ud2

        .section .rodata
        .align 8
boot_gdt:
        .quad 0, 0x00af9b000000ffff
boot_gdt_ptr:
        .word 15
        .long PHYS(boot_gdt)

        .bss
        .align 4096
        .globl kernel_pml4
kernel_pml4:    .skip 4096
        .globl boot_pdpt, boot_pdpt_top, boot_pd
boot_pdpt:      .skip 4096
boot_pdpt_top:  .skip 4096
        .globl heap_pdpt
heap_pdpt:      .skip 4096
boot_pd:        .skip 4096 * 4
        .skip 8192
boot_stack_top:
boot_info:      .skip 8
