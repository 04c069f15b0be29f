/* The system calls that musl's libc.a makes for the OCaml runtime, answered in ring 0; trap.S brings them here.
 *
 * Memory comes from HEAP (base.h) and is mapped as it is asked for; addresses are never used twice, there are 510 GiB of them.
 * Whatever is not listed gets ENOSYS and is named on the console, since it would mean that the runtime has changed.
 */
#include "base.h"

extern u64 kernel_fsbase;
static u64 heap_next = HEAP_BASE;

/* The kernel's tables below HEAP are the heap's own: they are made here and never given back. 0: no memory. */
static int kernel_map(u64 va, u64 frame) {
    u64 *table = kernel_pml4;
    for (int shift = 39; shift > 12; shift -= 9) {
        u64 *entry = table + (va >> shift & 511);
        if (!(*entry & P_PRESENT)) {
            u64 fresh = frame_alloc_kind(FRAME_TABLE);
            if (!fresh) return 0;
            *entry = fresh * PAGE | P_PRESENT | P_WRITE;
        }
        table = phys(*entry & P_ADDR);
    }
    table[va >> 12 & 511] = frame * PAGE | P_PRESENT | P_WRITE | P_NX;
    return 1;
}

/* Only pages of the heap: anything else that the C library asks to unmap is none of its business. */
static void kernel_unmap(u64 va, u64 end) {
    if (va < HEAP_BASE || end > HEAP_LIMIT || end < va) panic("the C library unmaps what is not the heap's");
    for (; va < end; va += PAGE) {
        u64 *entry = kernel_entry(va);
        if (!entry || !(*entry & P_PRESENT)) continue;
        u64 frame = (*entry & P_ADDR) / PAGE;
        *entry = 0;
        flush_page(va);
        frame_unref(frame);
    }
}

/* Fresh zeroed pages in the heap, preceded by an unmapped one. 0: out of memory. */
u64 heap_map_pages(u64 pages) {
    u64 start = heap_next + PAGE;
    if (pages > (HEAP_LIMIT - start) / PAGE || pages >= frames_free_count) return 0;
    for (u64 i = 0; i < pages; i++) {
        u64 frame = frame_alloc(0);
        if (!frame || !kernel_map(start + i * PAGE, frame)) {
            if (frame) frame_unref(frame);
            kernel_unmap(start, start + i * PAGE);
            return 0;
        }
    }
    heap_next = start + pages * PAGE;
    return start;
}

enum { ENOMEM = 12, EBADF = 9, ENOENT = 2, ENOTTY = 25, ESPIPE = 29, ENOSYS = 38 };
struct piece { const u8 *text; u64 length; };

long libc_syscall(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e) {
    (void)d, (void)e;
    switch (number) {
    case 1: /* write */
        console_put((const u8 *)b, c);
        return (long)c;
    case 20: { /* writev */
        long sum = 0;
        for (u64 i = 0; i < c; i++) {
            const struct piece *p = (const struct piece *)b + i;
            console_put(p->text, p->length);
            sum += (long)p->length;
        }
        return sum;
    }
    case 8: return -ESPIPE; /* lseek on the standard channels */
    case 9: {               /* mmap: anonymous memory, whatever the protection */
        u64 start = heap_map_pages((b + PAGE - 1) / PAGE);
        return start ? (long)start : -ENOMEM;
    }
    case 10: case 28: return 0; /* mprotect, madvise */
    case 11: /* munmap */
        kernel_unmap(a, a + ((b + PAGE - 1) & -PAGE));
        return 0;
    case 12: case 25: return -ENOMEM; /* brk, mremap: musl then uses mmap */
    case 13: case 14: case 131: return 0; /* rt_sigaction, rt_sigprocmask, sigaltstack: no signals here */
    case 16: return -ENOTTY;  /* ioctl */
    case 39: case 218: return 1; /* getpid, set_tid_address */
    case 79: ((char *)a)[0] = '/', ((char *)a)[1] = 0; return 2; /* getcwd */
    case 89: return -ENOENT;  /* readlink: no /proc/self/exe */
    case 98: __builtin_memset((void *)b, 0, 144); return 0; /* getrusage */
    case 96: case 228: ((u64 *)(number == 96 ? a : b))[0] = ((u64 *)(number == 96 ? a : b))[1] = 0; return 0; /* the time: a constant */
    case 158: /* arch_prctl(ARCH_SET_FS) */
        kernel_fsbase = b;
        wrmsr(0xc0000100, b);
        return 0;
    case 60: case 231: /* exit: the OCaml program ends the machine itself, so this is a failure of the runtime */
        panic("the OCaml runtime gave up");
    default:
        say("xboot: the C library asks for system call "), say_hex(number), say("\n");
        return -ENOSYS;
    }
}

/* What gcc-compiled objects made for glibc ask of musl. */
#include <stdarg.h>
#include <stdio.h>
int __printf_chk(int flag, const char *f, ...) { (void)flag; va_list v; va_start(v, f); int n = vprintf(f, v); va_end(v); return n; }
int __fprintf_chk(FILE *s, int flag, const char *f, ...) { (void)flag; va_list v; va_start(v, f); int n = vfprintf(s, f, v); va_end(v); return n; }
int __vfprintf_chk(FILE *s, int flag, const char *f, va_list v) { (void)flag; return vfprintf(s, f, v); }
int __sprintf_chk(char *t, int flag, size_t n, const char *f, ...) { (void)flag, (void)n; va_list v; va_start(v, f); int r = vsprintf(t, f, v); va_end(v); return r; }
int __snprintf_chk(char *t, size_t m, int flag, size_t n, const char *f, ...) { (void)flag, (void)n; va_list v; va_start(v, f); int r = vsnprintf(t, m, f, v); va_end(v); return r; }
int __vsnprintf_chk(char *t, size_t m, int flag, size_t n, const char *f, va_list v) { (void)flag, (void)n; return vsnprintf(t, m, f, v); }
