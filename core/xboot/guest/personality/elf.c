/* elf.c: what an ELF file says of itself, in either width. exec.c maps it. */

#include "personality.h"

/* 0, or ENOEXEC. */
static int narrow_headers(struct node *node, struct elf_header *h, struct elf_segment *s)
{
	int span;

	if (content_get(node, 0, h, sizeof *h) != (int)sizeof *h || memcmp(h->ident, "\177ELF\1\1", 6) || h->machine != 3 || (h->type != 2 && h->type != 3))
		return -ENOEXEC;
	if (h->segment_size != sizeof *s || !h->segment_count || h->segment_count > ELF_SEGMENTS)
		return -ENOEXEC;
	span = h->segment_count * (int)sizeof *s;
	return content_get(node, h->segments, s, (unsigned)span) == span ? 0 : -ENOEXEC;
}

#ifdef MACHINE_WIDE
/* The same of a file of 64 bits, whose words are cut to size: what does not lie below 4 GiB lies at ~0, where nothing is mapped. 0, or ENOEXEC. */
static int wide_headers(struct node *node, struct elf_header *h, struct elf_segment *s)
{
	struct { u8 ident[16]; u16 type, machine; u32 version; u64 entry, segments, sections; u32 flags; u16 size, segment_size, segment_count; } wide;
	struct { u32 type, flags; u64 offset, vaddr, paddr, file_size, memory_size, align; } segment;
	u32 i;

	if (content_get(node, 0, &wide, sizeof wide) != (int)sizeof wide || memcmp(wide.ident, "\177ELF\2\1", 6) || wide.machine != 62)
		return -ENOEXEC;
	h->type = wide.type;
	h->entry = word_of_user(wide.entry);
	h->segments = word_of_user(wide.segments);
	h->segment_count = wide.segment_count;
	if ((h->type != 2 && h->type != 3) || wide.segment_size != sizeof segment || !h->segment_count || h->segment_count > ELF_SEGMENTS)
		return -ENOEXEC;
	for (i = 0; i < h->segment_count; i++) {
		if (content_get(node, (u64)h->segments + i * sizeof segment, &segment, sizeof segment) != (int)sizeof segment)
			return -ENOEXEC;
		s[i].type = segment.type;
		s[i].flags = segment.flags;
		s[i].offset = word_of_user(segment.offset);
		s[i].vaddr = word_of_user(segment.vaddr);
		s[i].file_size = word_of_user(segment.file_size);
		s[i].memory_size = word_of_user(segment.memory_size);
	}
	return 0;
}
#endif


/* The header, and as many segments as it says; wide: it is a program of 64 bits. 0, or ENOEXEC: no program that can be run here. */
int elf_headers(struct node *node, struct elf_header *h, struct elf_segment s[ELF_SEGMENTS], u32 *wide)
{
	int error = narrow_headers(node, h, s);

	*wide = 0;
#ifdef MACHINE_WIDE
	if (error) {
		error = wide_headers(node, h, s);
		*wide = !error;
	}
#endif
	return error;
}
