/* boot.s: from the BIOS to a kernel's entry. The whole loader of a medium that `xboot image` writes; __init__.py has the medium's layout.

   The BIOS reads this program to 0x7c00: from a CD all of it (El Torito 1.0, "no emulation"), from a disk or stick its first 512 bytes, which
   read the rest. No file system is read, and no file format: the host has made a table of what goes where. The table's kernel is entered as
   Multiboot 0.6.96 (section 3.2) or the PVH boot ABI say; both want 32-bit protected mode, flat segments, no paging, interrupts off.

   Memory while it runs:
       0x00600   the disk address packet of a read, and variables
       0x07c00   this program; the stack is below it
       0x09000   table: `struct` below, then pieces {sector, address, bytes}; sector 0 stands for zeros
       0x0a000   what the kernel is told: Multiboot information or PVH start info, command line, modules
       0x0c000   memory map, 24 bytes an entry
       0x10000   what is being read, 32 KiB at a time
   All that is loaded goes to 1 MiB and above. Whatever is wrong is said on the screen and the first serial port, and the machine stands still. */

TABLE_SECTOR = 31
PACKET = 0x600
DRIVE = 0x610
WRAP = 0x614                            /* compared with what is 1 MiB above it */
TABLE = 0x9000
ENTRY = (TABLE + 0)                     /* where to jump, and with which EAX and EBX */
ENTRY_EAX = (TABLE + 4)
ENTRY_EBX = (TABLE + 8)
SHIFT = (TABLE + 12)                    /* where in an entry of the memory map the BIOS writes: 4 for Multiboot, else 0 */
COUNT_AT = (TABLE + 16)                 /* where the size of the map is told, in units of so many bytes */
COUNT_UNIT = (TABLE + 20)
LOWER_AT = (TABLE + 24)                 /* where KiB from 0 and from 1 MiB on are told; 0: nowhere */
NEEDED = (TABLE + 28)                   /* KiB from 1 MiB on that the pieces reach to */
PIECES = (TABLE + 36)                   /* how many, then the pieces */
MAP = 0xc000
MAP_END = 0xd000
BUFFER = 0x10000
AT_ONCE = 16                            /* sectors of 2048 bytes */
SERIAL = 0x3f8
        .code16
        .text
        .globl _start
_start: jmp begin
        .globl sectors
sectors: .byte 2                        /* a disk has 1 << 2 sectors to one of the medium's; the copy for CDs has 0 here */
        .org 0x5a                       /* some firmware writes here, where a FAT volume describes itself */

begin:  cli
        cld
        xor %ax, %ax
        mov %ax, %ds
        mov %ax, %es
        mov %ax, %ss
        mov $0x7c00, %sp
        ljmp $0, $placed
placed: sti
        mov %dl, DRIVE
        mov $SERIAL + 3, %dx            /* 115200 baud, 8 bits */
        mov $0x80, %al
        out %al, %dx
        mov $SERIAL, %dx
        mov $1, %al
        out %al, %dx
        inc %dx
        dec %ax
        out %al, %dx
        mov $SERIAL + 3, %dx
        mov $3, %al
        out %al, %dx
        mov $hello, %si
        call say
        xor %eax, %eax                  /* this program once more, now whole */
        mov $1, %cx
        mov $0x7c0, %bx
        cmp %al, sectors
        je whole
        call read
        jmp whole

/* read: CX sectors of 2048 bytes, from EAX on, to BX:0. By EDD 3.0, function 42h; tried a few times, since drives start slowly. */
read:   mov %cx, %bp
        mov sectors, %cl
        shl %cl, %eax
        shl %cl, %bp
        mov %eax, %edi
        mov $5, %cx
1:      mov $PACKET, %si
        movw $16, (%si)
        mov %bp, 2(%si)
        movw $0, 4(%si)
        mov %bx, 6(%si)
        mov %edi, 8(%si)
        movl $0, 12(%si)
        mov DRIVE, %dl
        mov $0x42, %ah
        int $0x13
        jnc 2f
        mov DRIVE, %dl
        xor %ah, %ah
        int $0x13                       /* reset */
        loop 1b
        mov $unread, %si
        jmp stop
2:      ret

/* say: the text at SI, on the screen and the serial port. */
say:    lodsb
        test %al, %al
        jz 2f
        push %ax
        mov $7, %bx
        mov $14, %ah
        int $0x10
        mov $SERIAL + 5, %dx
1:      in %dx, %al
        test $0x20, %al                 /* a port that is not there says yes to everything */
        jz 1b
        pop %ax
        mov $SERIAL, %dx
        out %al, %dx
        jmp say
2:      ret

stop:   push %si
        mov $stopped, %si
        call say
        pop %si
        call say
1:      cli
        hlt
        jmp 1b

hello:   .asciz "xboot medium\r\n"
stopped: .asciz "xboot: cannot go on: "
unread:  .asciz "the medium cannot be read\r\n"

        .org 446                        /* the partitions: __init__.py */
        .org 510
        .word 0xaa55

whole:  mov $TABLE_SECTOR, %eax         /* table, and what the kernel is told */
        mov $6, %cx
        mov $TABLE >> 4, %bx
        call read

        mov $0x2401, %ax                /* address line 20, by the BIOS and by port 0x92 */
        int $0x15
        in $0x92, %al
        or $2, %al
        and $0xfe, %al                  /* bit 0 would reset the machine */
        out %al, $0x92
        call flat
        mov $2, %cx
1:      mov %cx, WRAP
        mov $0x100000 + WRAP, %ebx
        addr32 cmp %cx, (%ebx)          /* twice the same, for two values: it is the same memory */
        jne map
        loop 1b
        mov $wraps, %si
        jmp stop

map:    sti
        xor %ebx, %ebx
        mov $MAP, %di
1:      movl $20, (%di)                 /* Multiboot's entry says its size first, and PVH's has a zero at its end; the BIOS writes over */
        movl $0, 20(%di)                /* the one that it is not */
        push %di
        add SHIFT, %di
        mov $0xe820, %eax
        mov $0x534d4150, %edx
        mov $20, %ecx
        int $0x15
        pop %di
        jc 2f
        add $24, %di
        cmp $MAP_END - 24, %di
        ja 2f
        test %ebx, %ebx
        jnz 1b
2:      mov %di, %ax
        sub $MAP, %ax
        mov $nomap, %si
        jz stop
        xor %dx, %dx
        divw COUNT_UNIT
        mov COUNT_AT, %bx
        movzwl %ax, %eax
        mov %eax, (%bx)

        mov $MAP, %si                   /* KiB from 0 (EBP) and from 1 MiB on (EDX) */
        add SHIFT, %si
        xor %ebp, %ebp
        xor %edx, %edx
3:      cmpl $1, 16(%si)
        jne 5f
        cmpl $0, 4(%si)
        jne 5f
        mov (%si), %eax
        mov 8(%si), %ecx
        test %eax, %eax
        jnz 4f
        mov %ecx, %ebp
        shr $10, %ebp
4:      cmp $0x100000, %eax
        ja 5f
        add %ecx, %eax
        sbb %ecx, %ecx                  /* all ones if that is 4 GiB and more */
        or %ecx, %eax
        cmpl $0, 12(%si)
        je 6f
        or $-1, %eax
6:      cmp $0x100000, %eax
        jbe 5f
        lea -0x100000(%eax), %edx
        shr $10, %edx
5:      add $24, %si
        cmp %di, %si
        jb 3b
        mov $small, %si
        cmp NEEDED, %edx
        jb stop
        mov LOWER_AT, %bx
        test %bx, %bx
        jz load
        mov %ebp, (%bx)
        mov %edx, 4(%bx)

load:   mov $PIECES + 4, %si
piece:  decl PIECES
        js enter
next:   mov 8(%si), %ecx
        jecxz 3f
        mov 4(%si), %edi
        mov (%si), %eax
        test %eax, %eax
        jz zeros
        addl $AT_ONCE, (%si)
        cmp $AT_ONCE * 2048, %ecx
        jbe 1f
        mov $AT_ONCE * 2048, %ecx
1:      add %ecx, 4(%si)
        sub %ecx, 8(%si)
        push %si
        push %ecx
        add $2047, %ecx
        shr $11, %ecx
        mov $BUFFER >> 4, %bx
        push %edi
        call read
        call flat
        pop %edi
        pop %ecx
        mov $BUFFER, %esi
        mov %ecx, %edx
        shr $2, %ecx
        addr32 rep movsl
        mov %edx, %ecx
        and $3, %ecx
        addr32 rep movsb
        pop %si
        sti
        jmp next
zeros:  call flat
        addr32 rep stosb                /* AX is 0 */
        sti
3:      add $12, %si
        jmp piece

/* flat: DS and ES reach all 4 GiB from here on, and interrupts are off. AX is 0 then, DX as well; the other registers are as they were. */
flat:   cli
        lgdt gdt_at
        mov %cr0, %eax
        or $1, %al
        mov %eax, %cr0
        jmp 1f
1:      mov $16, %dx
        mov %dx, %ds
        mov %dx, %es
        and $0xfe, %al
        mov %eax, %cr0
        jmp 2f
2:      xor %ax, %ax
        xor %dx, %dx
        mov %ax, %ds                    /* the base is 0 again, the limit stays */
        mov %ax, %es
        ret

enter:  cli
        lgdt gdt_at
        mov %cr0, %eax
        or $1, %al
        mov %eax, %cr0
        ljmpl $8, $protected
        .code32
protected:
        mov $16, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %fs
        mov %eax, %gs
        mov %eax, %ss
        mov ENTRY_EAX, %eax
        mov ENTRY_EBX, %ebx
        jmp *ENTRY

        .balign 8
gdt:    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_at: .word gdt_at - gdt - 1
        .long gdt

wraps:  .asciz "memory above 1 MiB cannot be reached\r\n"
nomap:  .asciz "the firmware does not say what memory there is\r\n"
small:  .asciz "there is too little memory\r\n"
        .org 2048
