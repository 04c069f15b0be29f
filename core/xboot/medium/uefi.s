/* uefi.s: from UEFI firmware to a kernel's entry: boot.s's twin, for the same medium and the same table.

   This is a whole PE image, headers and all. Firmware for x86_64 finds it as \EFI\BOOT\BOOTX64.EFI in a FAT volume of a few sectors (fat.py), at
   the start of a partition that goes on behind the volume, to the medium's end: so all that is loaded is read from the partition that this program
   comes from, by its sector. Table, and what the kernel is told, are part of the image: the host put them behind the program, and the firmware has
   read them already.

   Where the kernel belongs, the firmware may still be. So all is read to another place first, and moved when the firmware is gone:
       image + 0x1000   this program            goes to 0x08000, for labels are linked for there
       image + 0x2000   table                           0x09000     from here on as boot.s has it
       image + 0x3000   what the kernel is told         0x0a000
       image + 0x5000   memory map                      0x0c000
       image + 0x6000   the firmware's memory map
   Whatever is wrong is said on the firmware's console, and the machine stands still. Numbers are of the UEFI specification, 2.10, unless said. */

LOW = 0x8000
SIZE = 0x5000
TABLE = (image + 0x2000)
ENTRY = (TABLE + 0)
ENTRY_EAX = (TABLE + 4)
ENTRY_EBX = (TABLE + 8)
SHIFT = (TABLE + 12)
COUNT_AT = (TABLE + 16)
COUNT_UNIT = (TABLE + 20)
LOWER_AT = (TABLE + 24)
NEEDED = (TABLE + 28)
SECTORS = (TABLE + 32)                  /* of 2048 bytes, from the first piece to the last; 0: not to be booted by UEFI, for it needs a text screen */
PIECES = (TABLE + 36)
MAP = (image + 0x5000)
MAP_END = (image + 0x6000)
THEIR_MAP = (image + 0x6000)
THEIR_MAP_SIZE = 0x8000
VOLUME = 24                             /* the sectors of the medium where the partition starts, and the pieces */
DATA = 37
AT_ONCE = 0x100000                      /* bytes: some firmware fails at more */
TRIES = 8

BOOT = 96                               /* in the system table (section 4.3): the boot services, the console */
CONSOLE = 64
ALLOCATE_PAGES = 40                     /* boot services (4.4) */
GET_MEMORY_MAP = 56
HANDLE_PROTOCOL = 152
EXIT_BOOT_SERVICES = 232
SET_WATCHDOG_TIMER = 256
OUTPUT_STRING = 8                       /* of a console (12.4) */
DEVICE = 24                             /* of a loaded image (9.1): what it was read from */
MEDIA = 8                               /* of a device of blocks (13.9) */
READ_BLOCKS = 24
BLOCK_SIZE = 12                         /* of a medium, which begins with its number */
BASE = 8                                /* of an entry of a memory map (7.2.3), which begins with its type */
PAGES = 24
FREE = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 7   /* types: of programs and of boot services, which are gone then, and what is nobody's */
SLEEP = 10                              /* a type: for the firmware's return from a sleep. Nothing sleeps here, and OVMF has it in the middle of */
SLEEP_END = 0x4000000                   /* where kernels go: so up to here it is free. Above, on a PC, it may be in use by what never leaves */

FIFTH = 32                              /* on the stack: a call's fifth argument, then variables; below is room for whoever is called */
VALUE = 40
PLACE = 48
MAP_SIZE = 56
MAP_KEY = 64
STEP = 72
VERSION = 80
FRAME = 88                              /* with the return address a multiple of 16 */

        .text
        .globl image
image:  .ascii "MZ"                     /* PE/COFF, revision 8.3 */
        .org 0x3c
        .long 0x40
        .ascii "PE\0\0"
        .word 0x8664, 2                 /* machine, sections */
        .long 0, 0, 0                   /* no time, no symbols */
        .word optional_end - optional
        .word 2                         /* executable */
optional:
        .word 0x20b, 0                  /* of 64 bits */
        .long 0x1000, 0xc000, 0, start - image, 0x1000
        .quad 0                         /* goes anywhere */
        .long 0x1000, 0x1000            /* a section begins at a page, in memory and in the file */
        .long 0, 0, 0, 0
        .long 0xe000, 0x1000, 0         /* the image, its headers */
        .word 10, 0x100                 /* an application of UEFI; runs nothing that can be written */
        .quad 0, 0, 0, 0
        .long 0, 6
        .fill 6, 8, 0                   /* no directories: no address needs to be relocated */
optional_end:
        .ascii "program\0"
        .long 0x1000, 0x1000, 0x1000, 0x1000, 0, 0, 0, 0x60000020       /* code: read, run */
        .ascii "data\0\0\0\0"
        .long 0xc000, 0x2000, 0x3000, 0x2000, 0, 0, 0, 0xc0000040       /* data: read, write */

/* Called by the firmware as Microsoft's compilers call: RCX our handle, RDX the system table. RBX, RBP, RSI, RDI, R12-R15 survive a call. */
        .org 0x1000
        .code64
start:  sub $FRAME, %rsp
        mov %rcx, %r12
        mov %rdx, %r13
        mov BOOT(%rdx), %rbx
        lea hello(%rip), %rdx
        call say
        xor %ecx, %ecx                  /* no reset after five minutes */
        xor %edx, %edx
        xor %r8d, %r8d
        xor %r9d, %r9d
        call *SET_WATCHDOG_TIMER(%rbx)

        lea screen(%rip), %r15          /* what is said if the next goes wrong */
        cmpl $0, SECTORS(%rip)
        je stop
        lea unread(%rip), %r15
        mov %r12, %rcx
        lea loaded_image(%rip), %rdx
        lea VALUE(%rsp), %r8
        call *HANDLE_PROTOCOL(%rbx)
        test %rax, %rax
        jnz stop
        mov VALUE(%rsp), %rcx
        mov DEVICE(%rcx), %rcx
        lea block_io(%rip), %rdx
        lea VALUE(%rsp), %r8
        call *HANDLE_PROTOCOL(%rbx)
        test %rax, %rax
        jnz stop
        mov VALUE(%rsp), %rsi           /* the partition */

        lea small(%rip), %r15           /* room for all pieces: below 4 GiB, and above all that they are moved to */
        mov $-1, %eax
        mov %rax, VALUE(%rsp)
        mov $1, %ecx
        mov $2, %edx
        mov SECTORS(%rip), %r8d
        inc %r8
        shr %r8
        lea VALUE(%rsp), %r9
        call *ALLOCATE_PAGES(%rbx)
        test %rax, %rax
        jnz stop
        mov VALUE(%rsp), %rbp
        mov NEEDED(%rip), %eax
        shl $10, %rax
        add $0x100000, %rax
        cmp %rax, %rbp
        jb stop

        lea unread(%rip), %r15
        mov MEDIA(%rsi), %r14
        mov $(DATA - VOLUME) * 2048, %eax
        xor %edx, %edx
        divl BLOCK_SIZE(%r14)
        mov %rax, VALUE(%rsp)           /* the next block */
        mov %rbp, PLACE(%rsp)
        mov SECTORS(%rip), %edi
        shl $11, %rdi                   /* bytes that are left */
1:      mov $AT_ONCE, %r9d
        cmp %r9, %rdi
        cmovb %rdi, %r9
        mov %rsi, %rcx
        mov (%r14), %edx
        mov VALUE(%rsp), %r8
        mov PLACE(%rsp), %rax
        mov %rax, FIFTH(%rsp)
        call *READ_BLOCKS(%rsi)
        test %rax, %rax
        jnz stop
        mov $AT_ONCE, %eax
        add %rax, PLACE(%rsp)
        xor %edx, %edx
        divl BLOCK_SIZE(%r14)
        add %rax, VALUE(%rsp)
        sub $AT_ONCE, %rdi
        ja 1b

        mov $TRIES, %esi
again:  lea nomap(%rip), %r15
        dec %esi
        jz stop
        movq $THEIR_MAP_SIZE, MAP_SIZE(%rsp)
        lea MAP_SIZE(%rsp), %rcx
        lea THEIR_MAP(%rip), %rdx
        lea MAP_KEY(%rsp), %r8
        lea STEP(%rsp), %r9
        lea VERSION(%rsp), %rax
        mov %rax, FIFTH(%rsp)
        call *GET_MEMORY_MAP(%rbx)
        test %rax, %rax
        jnz stop

        lea MAP(%rip), %rdi             /* ours: by address, in two kinds, and what adjoins is one */
        xor %r8d, %r8d                  /* so far memory is told */
range:  lea THEIR_MAP(%rip), %rax       /* theirs has no order: find the lowest range from there on */
        mov MAP_SIZE(%rsp), %rcx
        add %rax, %rcx
        mov $-1, %r9
        xor %r10d, %r10d
1:      cmp %rcx, %rax
        jae 3f
        mov BASE(%rax), %r11
        cmp %r8, %r11
        jb 2f
        cmp %r9, %r11
        jae 2f
        cmpq $0, PAGES(%rax)
        je 2f
        mov %r11, %r9
        mov %rax, %r10
2:      add STEP(%rsp), %rax
        jmp 1b
3:      test %r10, %r10
        jz told
        mov PAGES(%r10), %r8            /* from R9 to R8 */
        shl $12, %r8
        add %r9, %r8
        mov (%r10), %ecx
        mov $2, %eax                    /* 2: not to be used */
        cmp $SLEEP, %ecx
        jne 4f
        cmp $SLEEP_END, %r8
        jbe 5f
4:      cmp $32, %ecx
        jae 6f
        mov $FREE, %edx
        bt %ecx, %edx
        jnc 6f
5:      dec %eax                        /* 1: free */
6:      mov SHIFT(%rip), %ecx
        add %rdi, %rcx                  /* base, bytes, kind of an entry */
        lea MAP(%rip), %rdx
        cmp %rdx, %rdi
        je 7f
        cmp %eax, -24 + 16(%rcx)
        jne 7f
        mov -24(%rcx), %rdx
        add -24 + 8(%rcx), %rdx
        cmp %rdx, %r9
        jne 7f
        sub -24(%rcx), %rdx
        sub %r9, %rdx
        add %r8, %rdx
        mov %rdx, -24 + 8(%rcx)
        jmp range
7:      lea MAP_END - 24(%rip), %rdx
        cmp %rdx, %rdi
        ja stop
        movl $20, (%rdi)                /* Multiboot's entry says its size first, and PVH's has a zero at its end */
        movl $0, 20(%rdi)
        mov %r9, (%rcx)
        mov %r8, 8(%rcx)
        sub %r9, 8(%rcx)
        mov %eax, 16(%rcx)
        add $24, %rdi
        jmp range

told:   xor %r10d, %r10d                /* KiB from 0 (R10) and from 1 MiB on (R11) */
        xor %r11d, %r11d
        lea MAP(%rip), %r8
        mov SHIFT(%rip), %ecx
        add %r8, %rcx
1:      cmpl $1, 16(%rcx)
        jne 3f
        mov (%rcx), %rax
        mov 8(%rcx), %rdx
        add %rax, %rdx
        shr $10, %rdx
        cmp $LOW, %rax
        ja 2f
        cmp $(LOW + SIZE) >> 10, %rdx
        cmovae %rdx, %r10
2:      cmp $0x100000, %rax
        ja 3f
        mov $1 << 22, %eax
        cmp %rax, %rdx
        cmova %rax, %rdx
        sub $1024, %rdx
        cmova %rdx, %r11
3:      add $24, %rcx
        add $24, %r8
        cmp %rdi, %r8
        jb 1b
        lea taken(%rip), %r15
        test %r10, %r10
        jz stop
        lea small(%rip), %r15
        mov NEEDED(%rip), %eax
        cmp %rax, %r11
        jb stop
        lea far(%rip), %r15             /* the rest is done in 32 bits, and not at the place that it is moved to */
        lea image(%rip), %r8
        lea -0x100000(%r8), %rax
        mov $0xffe00000, %ecx
        cmp %rcx, %rax
        ja stop

        lea MAP(%rip), %rax
        sub %rax, %rdi
        mov %edi, %eax
        xor %edx, %edx
        divl COUNT_UNIT(%rip)
        mov COUNT_AT(%rip), %ecx
        mov %eax, -LOW + 0x1000(%r8, %rcx)
        mov LOWER_AT(%rip), %ecx
        jrcxz 1f
        mov %r10d, -LOW + 0x1000(%r8, %rcx)
        mov %r11d, -LOW + 0x1000 + 4(%r8, %rcx)
1:      mov %r12, %rcx
        mov MAP_KEY(%rsp), %rdx
        call *EXIT_BOOT_SERVICES(%rbx)
        test %rax, %rax
        jnz again                       /* the map is another by now */

        cli                             /* nobody else is there any more */
        cld
        lea image + 0x1000(%rip), %rsi
        lea gdt(%rip), %rax
        movw $gdt_end - gdt - 1, VALUE(%rsp)
        mov %rax, VALUE + 2(%rsp)
        lgdt VALUE(%rsp)
        lea 1f(%rip), %rax
        push $8
        push %rax
        lretq
        .code32
1:      mov $16, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %fs
        mov %eax, %gs
        mov %eax, %ss
        mov %cr0, %eax                  /* no paging, then nothing that it brought */
        btr $31, %eax
        mov %eax, %cr0
        xor %eax, %eax
        xor %edx, %edx
        mov %eax, %cr4
        mov $0xc0000080, %ecx
        wrmsr
        mov $0x11, %eax
        mov %eax, %cr0
        mov $LOW, %edi
        mov $SIZE, %ecx
        rep movsb
        ljmp $8, $alone

alone:  lgdt gdt_at
        mov $PIECES + 4, %ebx
1:      decl PIECES
        js 4f
        mov (%ebx), %esi
        mov 4(%ebx), %edi
        mov 8(%ebx), %ecx
        test %esi, %esi
        jz 2f
        sub $DATA, %esi
        shl $11, %esi
        add %ebp, %esi
        rep movsb
        jmp 3f
2:      xor %eax, %eax
        rep stosb
3:      add $12, %ebx
        jmp 1b
4:      mov ENTRY_EAX, %eax
        mov ENTRY_EBX, %ebx
        jmp *ENTRY

        .code64
/* say: the text at RDX, on the firmware's console. */
say:    sub $40, %rsp
        mov CONSOLE(%r13), %rcx
        call *OUTPUT_STRING(%rcx)
        add $40, %rsp
        ret

stop:   lea stopped(%rip), %rdx
        call say
        mov %r15, %rdx
        call say
1:      hlt
        jmp 1b

        .balign 8
gdt:    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_end:
gdt_at: .word gdt_end - gdt - 1
        .long gdt
        .balign 4
loaded_image:
        .long 0x5b1b31a1
        .word 0x9562, 0x11d2
        .byte 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b
block_io:
        .long 0x964e5b21
        .word 0x6459, 0x11d2
        .byte 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b

hello:   .string16 "xboot medium\r\n"
stopped: .string16 "xboot: cannot go on: "
screen:  .string16 "what comes out is shown on a text screen, which UEFI does not have; boot this medium by a BIOS\r\n"
unread:  .string16 "the medium cannot be read\r\n"
nomap:   .string16 "the firmware does not say what memory there is\r\n"
taken:   .string16 "the firmware keeps memory below 1 MiB that the loader needs\r\n"
small:   .string16 "there is too little memory\r\n"
far:     .string16 "the firmware has put the loader above 4 GiB\r\n"
        .org 0x2000
