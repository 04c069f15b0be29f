/* main.c: the loader. It compiles a kernel from its C source with TCC, at boot, and enters it as a multiboot loader would: in 32-bit mode, be it for x86_64.

   The first multiboot module is the kernel's source tree (newc), the others are handed on to the kernel. The tree holds a file `manifest`:

       name WORDS             what is said on the console
       offset HEX             virtual address - physical address of the kernel (0 for one that is linked where it runs); its lower 32 bits count
       option WORD            one option for TCC, as on its command line
       file PATH              one file for TCC: C, assembler, or archive, in this order

   Memory map (physical):
       0x00100000 ... 0x00dfffff   where the kernel's segments may lie
       0x00e00000 ... 0x01ffffff   heap: TCC's work, the ELF file
       0x02000000 ...              this loader; QEMU puts the modules behind it
   Nothing is enabled: no paging, no interrupts. Errors end the machine with status 0x11. */

#include "loader.h"
#include "libtcc.h"

unsigned tcc_lines(TCCState *tcc); /* tcc.c */

#define KERNEL_LOW 0x100000u
#define KERNEL_HIGH 0xe00000u
#define HEAP_START 0xe00000u
#define HEAP_END 0x2000000u
#define SERIAL 0x3f8
#define EXIT_PORT 0xf4
#define EXIT_FAILED 0x11

struct multiboot {
	unsigned flags, memory_low, memory_high, boot_device, command_line, modules_count, modules;
};

struct module {
	unsigned start, end, text, reserved;
};

/* A file for x86_64 has words of 64 bits; their lower halves are enough: what counts here are physical addresses, sizes and offsets. */
#ifdef TCC_TARGET_X86_64
#define WIDE [2]
#define LOW(field) (field)[0]
#define ELF_START "\177ELF\2\1\1"
#define ELF_MACHINE 62
#define ELF_NAME "x86_64"
#else
#define WIDE
#define LOW(field) (field)
#define ELF_START "\177ELF\1\1\1"
#define ELF_MACHINE 3
#define ELF_NAME "i386"
#endif

struct elf_header {
	unsigned char ident[16];
	unsigned short type, machine;
	unsigned version, entry WIDE, segments WIDE, sections WIDE, flags;
	unsigned short size, segment_size, segment_count;
};

#ifdef TCC_TARGET_X86_64
struct elf_segment {
	unsigned type, flags, offset WIDE, vaddr WIDE, paddr WIDE, file_size WIDE, memory_size WIDE, align WIDE;
};
#else
struct elf_segment {
	unsigned type, offset, vaddr, paddr, file_size, memory_size, flags, align;
};
#endif

unsigned char loader_stack[262144]; /* used by boot.S */

void loader_jump(unsigned entry, struct multiboot *information);

static void out(unsigned port, unsigned char byte)
{
	asm volatile("outb %b0, %w1" : : "a"(byte), "Nd"(port));
}

static unsigned char in(unsigned port)
{
	unsigned char byte;
	asm volatile("inb %w1, %b0" : "=a"(byte) : "Nd"(port));
	return byte;
}

void libc_put(const char *text, size_t length)
{
	for (; length; length--, text++) {
		while (!(in(SERIAL + 5) & 0x20))
			;
		out(SERIAL, *text);
	}
}

/* The port's state is the firmware's otherwise, and a firmware need not care: after a reset it sends five bits. */
static void serial_setup(void)
{
	out(SERIAL + 1, 0);    /* no interrupts */
	out(SERIAL + 3, 0x80); /* divisor 1: 115200 baud, 8N1 */
	out(SERIAL, 1);
	out(SERIAL + 1, 0);
	out(SERIAL + 3, 3);
}

void exit(int status)
{
	out(EXIT_PORT, EXIT_FAILED);
	printf("loader: this machine has no exit device; it is halted. What it was to end with: %02x\n", EXIT_FAILED);
	for (;;)
		asm volatile("cli; hlt");
}

void abort(void)
{
	libc_die("TCC gave up", "abort");
}

void libc_die(const char *what, const char *detail)
{
	printf("loader: %s: %s\n", what, detail);
	exit(1);
}

static void message(void *opaque, const char *text)
{
	printf("loader: %s\n", text);
}

/* Reads one line of the manifest into word and rest; 0 at the end. */
static int line(const unsigned char **at, const unsigned char *end, char word[16], char rest[256])
{
	int n = 0;

	while (*at < end && (**at == '\n' || **at == ' '))
		++*at;
	if (*at == end)
		return 0;
	for (; *at < end && **at != ' ' && **at != '\n'; ++*at)
		if (n < 15)
			word[n++] = **at;
	word[n] = 0;
	while (*at < end && **at == ' ')
		++*at;
	for (n = 0; *at < end && **at != '\n'; ++*at)
		if (n < 255)
			rest[n++] = **at;
	rest[n] = 0;
	return 1;
}

/* Compiles and links what the manifest lists. The offset is returned. */
static unsigned compile(TCCState *tcc)
{
	const unsigned char *at, *end;
	char word[16], rest[256];
	unsigned offset = 0;
	size_t size;
	int started = 0;

	at = loader_file("manifest", &size);
	if (!at)
		libc_die("the kernel tree has no file", "manifest");
	end = at + size;
	while (line(&at, end, word, rest)) {
		if (!strcmp(word, "name")) {
			printf("loader: compiling %s\n", rest);
		} else if (!strcmp(word, "offset")) {
			offset = strtoul(rest, 0, 16);
		} else if (!strcmp(word, "option")) {
			tcc_set_options(tcc, rest);
		} else if (!strcmp(word, "file")) {
			if (!started)
				tcc_set_output_type(tcc, TCC_OUTPUT_EXE);
			started = 1;
			if (tcc_add_file(tcc, rest) < 0)
				libc_die("could not compile", rest);
		} else {
			libc_die("unknown word in the manifest", word);
		}
	}
	if (!started)
		libc_die("the manifest lists no", "file");
	if (tcc_output_file(tcc, "kernel.elf") < 0)
		libc_die("could not link", "kernel.elf");
	return offset;
}

/* Copies the segments to their place; the entry's physical address is returned. */
static unsigned place(const unsigned char *elf, size_t size, unsigned offset)
{
	const struct elf_header *header = (const void *)elf;
	const struct elf_segment *segment;
	unsigned i, to;

	if (size < sizeof *header || memcmp(elf, ELF_START, 7) || header->machine != ELF_MACHINE)
		libc_die("what TCC made is not an " ELF_NAME " ELF file", "kernel.elf");
	for (i = 0; i < header->segment_count; i++) {
		segment = (const void *)(elf + LOW(header->segments) + i * header->segment_size);
		if (segment->type != 1)
			continue;
		to = LOW(segment->vaddr) - offset;
		if (to < KERNEL_LOW || to > KERNEL_HIGH || LOW(segment->memory_size) > KERNEL_HIGH - to)
			libc_die("limit: the kernel must fit between 1 MiB and 14 MiB", "a segment lies outside");
		memcpy((void *)to, elf + LOW(segment->offset), LOW(segment->file_size));
		memset((void *)(to + LOW(segment->file_size)), 0, LOW(segment->memory_size) - LOW(segment->file_size));
	}
	return LOW(header->entry) - offset;
}

void loader_main(unsigned magic, struct multiboot *information)
{
	struct module *modules = (struct module *)information->modules;
	const unsigned char *elf;
	unsigned char digest[32];
	unsigned offset, entry;
	size_t size;
	TCCState *tcc;
	int i;

	serial_setup();
	if (magic != 0x2badb002)
		libc_die("not started by a multiboot loader", "wrong magic");
	if (!(information->flags & 8) || information->modules_count < 1)
		libc_die("the kernel's source tree is missing", "no module");
	if (!(information->flags & 1) || information->memory_high < 39 * 1024)
		libc_die("limit: the loader needs 40 MiB of memory", "the machine has less");
	libc_heap((void *)HEAP_START, HEAP_END - HEAP_START);
	loader_files((const unsigned char *)modules[0].start, modules[0].end - modules[0].start);

	tcc = tcc_new();
	tcc_set_error_func(tcc, 0, message);
	offset = compile(tcc);
	elf = loader_file("kernel.elf", &size);
	sha256(elf, size, digest);
	printf("loader: kernel sha256 ");
	for (i = 0; i < 32; i++)
		printf("%02x", digest[i]);
	printf(" %u bytes, %u lines, heap %u kB\n", (unsigned)size, tcc_lines(tcc), (unsigned)libc_heap_used() / 1024);
	entry = place(elf, size, offset);
	information->modules += sizeof *modules; /* the kernel sees only its own modules */
	information->modules_count--;
	loader_jump(entry, information);
}
