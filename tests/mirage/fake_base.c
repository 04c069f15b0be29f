/* The base layer on the host: an arena plays physical memory, so that frames.c, aspace.c and stubs.c run as they are; devices are fakes. Tests make system
   calls by setting registers, so no program runs: run_user is never reached. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "base.h"

#define ARENA (256ul << 20)
u8 *host_arena;
u64 initrd_start = PAGE, initrd_size = 64 * PAGE, memory_end = ARENA, ticks;
char command_line[1024];

__attribute__((constructor)) static void start(void) {
    host_arena = mmap(0, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    frames_add(PAGE, ARENA);
    frames_init(ARENA / PAGE);
    frames_ready();
    frames_reserve = 1024;
}

/* A program's part: units_calls.ml. */
long xb_program_byte(long as, long writes, long descriptor, long va) { return window_byte((u64)as, (int)writes, (u64)descriptor, (u64)va); }
long xb_program_stops(long unit) { (void)unit; window_end(); return 0; }

void nonce_put(u64 index, u8 c) { (void)index, (void)c; }
void nonce_say(void) {}
u64 run_user(u64 *ctx) { (void)ctx; panic("a test ran a program"); }
void idle_tick(void) { ticks++; }
void idle_any(void) { ticks++; }
void console_put(const u8 *text, u64 length) { if (getenv("SHOW_CONSOLE")) fwrite(text, 1, length, stderr); }
void channel_put(const u8 *text, u64 length) { (void)text, (void)length; }
int channel_get(void) { return '\n'; }
_Noreturn void machine_exit(int byte) { printf("machine exit %x\n", byte); exit(3); }
_Noreturn void panic(const char *why) { printf("panic: %s\n", why); exit(4); }
