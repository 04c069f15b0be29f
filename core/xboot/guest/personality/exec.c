/* exec.c: starts programs: static and dynamic i386 ELF files, and scripts (#!). The new memory is made whole before the old one is given up, so a failed
   exec leaves its caller as it was. */

#include "personality.h"

#define DYNAMIC_BASE 0x56555000u     /* position-independent programs */
#define INTERPRETER_BASE 0x40000000u
#define SCRIPTS 5                    /* as deep may scripts be interpreters of scripts (ELOOP) */
#define PREFIX (2 * SCRIPTS + 1)     /* arguments that scripts put before the caller's: interpreter and its argument, of each; the first script */
#define STRING_LIMIT 131072u

static char interpreter[PATH_LIMIT], script[PATH_LIMIT], first_lines[SCRIPTS][256];

struct image {
	address start, entry, headers, base; /* start: where it begins, the interpreter's entry if there is one; base: of the interpreter, 0 without one */
	u32 wide;                            /* of 64 bits */
	u32 header_count, personality, stack; /* of the process, when this program runs; what its stack may do */
};

static int runnable(struct process *p, int at, const char *path, struct node **node)
{
	struct found f;
	int error = path_walk(p, at, path, 1, &f);

	if (error)
		return error;
	if (!f.node)
		return -ENOENT;
	if ((f.node->mode & S_IFMT) != S_IFREG || f.slash)
		return -EACCES;
	if (f.node->writers)
		return -ETXTBSY;
	*node = f.node;
	return may(p, f.node, MAY_EXECUTE);
}

/* Maps one segment: whole pages are the file's own frames; the page in which file and zeros meet is written, thus copied. */
static int map_segment(struct memory *m, struct node *node, const struct elf_segment *s, address bias, u32 personality)
{
	static const char zeros[PAGE_SIZE];
	address start = s->vaddr + bias, from = start & ~PAGE_MASK, file_end, end;
	u32 protection = rights_of(personality, (s->flags & 4 ? PROT_READ : 0) | (s->flags & 2 ? PROT_WRITE : 0) | (s->flags & 1 ? PROT_EXEC : 0)), rest;
	char *piece;
	u32 n;
	u64 at;
	int error;

	if (!s->memory_size)
		return 0;
	if (s->memory_size < s->file_size || start < USER_BOTTOM || start >= MMAP_TOP || s->memory_size > MMAP_TOP - start || s->offset + (u64)s->file_size > node->size)
		return -ENOEXEC;
	file_end = start + s->file_size;
	end = (start + s->memory_size + PAGE_MASK) & ~PAGE_MASK;
	if (!region_free(m, from, end)) { /* segments that share a page: the lower one's page stays, and gets the upper one's bytes */
		if (!region_free(m, from + PAGE_SIZE, end))
			return -ENOEXEC;
		if (region_protect(m, from, from + PAGE_SIZE, PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE))
			return -ENOMEM;
		from += PAGE_SIZE;
		if (from < end && region_map(m, from, end, protection | PROTECT_WRITE, 0, 0))
			return -ENOMEM;
		goto copy;
	}
	if (((start ^ s->offset) & PAGE_MASK) == 0) {
		address whole = (file_end + PAGE_MASK) & ~PAGE_MASK;

		if (whole > from && (error = region_map(m, from, whole, protection, s->file_size ? node : 0, s->offset >> 12)))
			return error;
		if (end > whole && (error = region_map(m, whole, end, protection, 0, 0)))
			return error;
		rest = whole - file_end;
		if (rest && s->memory_size > s->file_size) {
			if (!(protection & PROTECT_WRITE))
				region_protect(m, whole - PAGE_SIZE, whole, protection | PROTECT_WRITE);
			if (memory_write(m, file_end, zeros, rest))
				return -ENOMEM;
			if (!(protection & PROTECT_WRITE))
				region_protect(m, whole - PAGE_SIZE, whole, protection);
		}
		return 0;
	}
	error = region_map(m, from, end, protection | PROTECT_WRITE, 0, 0); /* offset and address do not agree: the bytes are copied */
	if (error)
		return error;
copy:
	for (at = s->offset, n = 0; n < s->file_size; n += rest, at += rest) {
		rest = PAGE_SIZE - ((u32)at & PAGE_MASK);
		if (rest > s->file_size - n)
			rest = s->file_size - n;
		piece = content_frame(node, (u32)(at >> 12));
		if (piece && node->shared)
			machine_frame_touch(piece);
		if (memory_write(m, start + n, piece ? piece + ((u32)at & PAGE_MASK) : zeros, rest))
			return -ENOMEM;
	}
	return 0;
}

/* As Linux on i386: what a program says of its stack (PT_GNU_STACK). One that says nothing is of a time when all that could be read could be run, and so can all that it
   maps, and all that it starts. */
static void stack_rights(const struct elf_segment *s, u32 count, struct image *image)
{
	u32 i;

	for (i = 0; i < count && s[i].type != 0x6474e551; i++)
		;
	if (i == count && !image->wide)
		image->personality |= READ_IMPLIES_EXEC;
	image->stack = PROTECT_READ | PROTECT_WRITE | (i == count ? (image->wide ? 0 : PROTECT_EXECUTE) : s[i].flags & 1 ? PROTECT_EXECUTE : 0);
}

static int load(struct process *p, struct memory *m, struct node *node, struct image *image, address base, int may_interpret)
{
	struct elf_header h;
	struct elf_segment *s = 0;
	struct node *other;
	u32 i;
	address top = 0, bias;
	int error;

	s = pool_get(ELF_SEGMENTS * sizeof *s);
	if (!s)
		return -ENOMEM;
	error = elf_headers(node, &h, s, &image->wide);
	if (error)
		goto out;
	error = -ENOEXEC;
	bias = h.type == 3 ? base : 0;
	if (may_interpret)
		stack_rights(s, h.segment_count, image);
	image->headers = 0;
	image->header_count = h.segment_count;
	image->start = image->entry = h.entry + bias;
	for (i = 0; i < h.segment_count; i++) {
		if (s[i].type == 3 && may_interpret) {
			if (!s[i].file_size || s[i].file_size >= PATH_LIMIT || content_get(node, s[i].offset, interpreter, s[i].file_size) != (int)s[i].file_size)
				goto out;
			interpreter[s[i].file_size] = 0;
		}
		if (s[i].type != 1 || !s[i].memory_size) /* nothing of it is mapped, so its address is nowhere */
			continue;
		error = map_segment(m, node, &s[i], bias, image->personality);
		if (error)
			goto out;
		error = -ENOEXEC;
		if (s[i].offset <= h.segments && h.segments - s[i].offset < s[i].file_size)
			image->headers = s[i].vaddr + bias + h.segments - s[i].offset;
		if (s[i].vaddr + bias + s[i].memory_size > top)
			top = s[i].vaddr + bias + s[i].memory_size;
	}
	if (!top)
		goto out;
	if (may_interpret)
		memory_runs(m, node);
	if (may_interpret)
		m->brk_start = m->brk = (top + PAGE_MASK) & ~PAGE_MASK;
	error = 0;
	if (may_interpret && interpreter[0]) {
		struct image inner;

		inner.personality = image->personality;
		error = runnable(p, AT_FDCWD, interpreter, &other);
		if (!error)
			error = load(p, m, other, &inner, INTERPRETER_BASE, 0);
		if (!error && inner.wide != image->wide)
			error = -ENOEXEC;
		image->base = INTERPRETER_BASE;
		image->start = inner.entry;
	}
out:
	pool_put(s, ELF_SEGMENTS * sizeof *s);
	return error;
}

/* ---- arguments: counted first, then copied from the old memory to the top of the new stack ---- */

struct arguments {
	const char *prefix[PREFIX]; /* ours */
	u32 prefix_count, skip;     /* skip: of the caller's, replaced by the prefix */
	address argv, envp;         /* the caller's vectors; 0: empty */
	u32 argc, envc, bytes;
};

static int string_length(struct process *p, address at)
{
	char piece[64];
	u32 n = 0, part, i;

	while (n < STRING_LIMIT) {
		part = 64 - ((at + n) & 63);
		if (user_read(p, piece, at + n, part))
			return -EFAULT;
		for (i = 0; i < part; i++)
			if (!piece[i])
				return (int)(n + i + 1);
		n += part;
	}
	return -E2BIG;
}

static int count(struct process *p, address vector, u32 *strings, u32 *bytes)
{
	u32 at;
	int n;

	for (*strings = 0; vector; ++*strings) {
		if (user_words(p, &at, vector + *strings * WORD(p), 1))
			return -EFAULT;
		if (!at)
			break;
		n = string_length(p, at);
		if (n < 0)
			return n;
		*bytes += (u32)n + 8;
		if (*bytes > ARGUMENTS_LIMIT)
			return -E2BIG;
	}
	return 0;
}

/* A word of the new program's stack, as wide as it has them. 0 or -1. */
static int put_word(struct memory *m, u32 wide, address *to, address value)
{
	u64 word = value;
	u32 size = wide ? 8 : 4;

	*to += size;
	return memory_write(m, *to - size, &word, size);
}

static int copy_strings(struct process *p, struct memory *m, u32 wide, address vector, u32 from, u32 strings, address *pointers, address *text)
{
	char piece[256];
	u32 at;
	u32 i, n, part;

	for (i = from; i < strings; i++) {
		if (user_words(p, &at, vector + i * WORD(p), 1))
			return -EFAULT;
		n = (u32)string_length(p, at);
		if (put_word(m, wide, pointers, *text))
			return -ENOMEM;
		for (; n; n -= part, at += part, *text += part) {
			part = n < sizeof piece ? n : sizeof piece;
			if (user_read(p, piece, at, part) || memory_write(m, *text, piece, part))
				return -ENOMEM;
		}
	}
	return 0;
}

static int put_string(struct memory *m, const char *string, address *text)
{
	u32 n = text_length(string) + 1;

	if (memory_write(m, *text, string, n))
		return -ENOMEM;
	*text += n;
	return 0;
}

/* Stack, upwards: argc, argv, 0, envp, 0, auxiliary vector, random bytes, platform, file name, strings. */
static int make_stack(struct process *p, struct memory *m, struct arguments *a, struct image *image, const char *path, address *sp)
{
	u32 prefix_bytes = 0, i, words, argc, size, wide = image->wide;
	address text, at, random, platform, name, prefix_start;
	u8 noise[16];
	u32 auxiliary[2 * 18], n = 0;
	int error;

	for (i = 0; i < a->prefix_count; i++)
		prefix_bytes += text_length(a->prefix[i]) + 1;
	argc = a->prefix_count + a->argc - a->skip;
	words = 1 + argc + 1 + a->envc + 1 + 2 * 18;
	size = words * (wide ? 8 : 4) + 16 + 8 + text_length(path) + 1 + prefix_bytes + a->bytes + 64;
	at = (STACK_TOP - size) & ~15u;
	error = region_map(m, (at & ~PAGE_MASK) - 16 * PAGE_SIZE, STACK_TOP, image->stack, 0, 0);
	if (error)
		return error;
	{
		struct region *r;
		for (r = m->regions; r->next; r = r->next)
			;
		r->stack = 1;
	}
	*sp = m->stack_start = at;
	random = at + words * (wide ? 8 : 4);
	text = random + 16;
	platform = text;
	random_bytes(noise, sizeof noise);
	if (memory_write(m, random, noise, 16) || put_string(m, wide ? "x86_64" : "i686", &text))
		return -ENOMEM;
	name = text;
	if (put_string(m, path, &text) || put_word(m, wide, &at, argc))
		return -ENOMEM;
	prefix_start = text;
	for (i = 0; i < a->prefix_count; i++)
		if (put_word(m, wide, &at, text) || put_string(m, a->prefix[i], &text))
			return -ENOMEM;
	m->arguments = prefix_start;
	error = copy_strings(p, m, wide, a->argv, a->skip, a->argc, &at, &text);
	if (error || put_word(m, wide, &at, 0))
		return error ? error : -ENOMEM;
	m->environment = text;
	error = copy_strings(p, m, wide, a->envp, 0, a->envc, &at, &text);
	m->strings_end = text;
	if (error || put_word(m, wide, &at, 0))
		return error ? error : -ENOMEM;
#define AUX(type, value) (auxiliary[n++] = (type), auxiliary[n++] = (u32)(value))
	AUX(AT_HWCAP, 0);
	AUX(AT_PAGESZ, PAGE_SIZE);
	AUX(AT_CLKTCK, 100);
	AUX(AT_PHDR, image->headers);
	AUX(AT_PHENT, wide ? 56 : sizeof(struct elf_segment));
	AUX(AT_PHNUM, image->header_count);
	AUX(AT_BASE, image->base);
	AUX(AT_FLAGS, 0);
	AUX(AT_ENTRY, image->entry);
	AUX(AT_UID, p->uid);
	AUX(AT_EUID, p->euid);
	AUX(AT_GID, p->gid);
	AUX(AT_EGID, p->egid);
	AUX(AT_SECURE, 0);
	AUX(AT_RANDOM, random);
	AUX(AT_PLATFORM, platform);
	AUX(AT_EXECFN, name);
	AUX(AT_NULL, 0);
	for (i = 0; i < n; i++)
		if (put_word(m, wide, &at, auxiliary[i]))
			return -ENOMEM;
	return 0;
}

static void take_over(struct process *p, struct memory *m, const char *path, const struct image *image, address sp)
{
	struct memory *old;
	u32 i, n;

	thread_alone(p);
	p->executed = 1;
	old = p->memory;
	for (i = n = 0; path[i]; i++)
		n = path[i] == '/' ? i + 1 : n;
	for (i = 0; i < 15 && path[n + i]; i++)
		p->name[i] = path[n + i];
	p->name[i] = 0;
	for (i = 0; i < DESCRIPTORS; i++)
		if (p->files[i] && p->close_on_exec[i])
			file_close(p, (int)i);
	for (i = 0; i < SIGNALS; i++) {
		if (p->actions[i].handler != SIG_IGN)
			p->actions[i].handler = SIG_DFL;
		p->actions[i].flags = 0;
		p->actions[i].mask = 0;
	}
	p->alternate = p->alternate_size = 0;
	p->clear_tid = p->robust = 0;
	p->suid = p->euid;
	p->sgid = p->egid;
	p->memory = m;
	machine_thread_exec(p->thread, m->space);
	p->personality = image->personality;
#ifdef MACHINE_WIDE
	p->r->wide = image->wide;
#endif
	p->r->eip = image->start;
	p->r->esp = sp;
	p->r->eflags = 0x202;
	memory_drop(old);
	process_memory_released(p);
}

/* "#! interpreter [argument]", which come before what is there: the first script's path, then what interprets it. 1: it was a script, 0: no. */
static int parse_script(struct node *node, struct arguments *a, const char *path, u32 depth)
{
	char *first_line = first_lines[depth < SCRIPTS ? depth : 0], *argument;
	int n, i, start, put;

	if (depth >= SCRIPTS) {
		n = content_get(node, 0, interpreter, 2);
		return n == 2 && interpreter[0] == '#' && interpreter[1] == '!' ? -ELOOP : 0;
	}
	n = content_get(node, 0, first_line, sizeof first_lines[0] - 1);

	if (n < 3 || first_line[0] != '#' || first_line[1] != '!')
		return 0;
	for (i = 2; i < n && first_line[i] != '\n'; i++)
		;
	if (i == n && n == (int)sizeof first_lines[0] - 1)
		return -ENOEXEC; /* cut off */
	while (i > 2 && (first_line[i - 1] == ' ' || first_line[i - 1] == '\t'))
		i--;
	first_line[i] = 0;
	for (start = 2; first_line[start] == ' ' || first_line[start] == '\t'; start++)
		;
	if (!first_line[start])
		return -ENOEXEC;
	for (i = start; first_line[i] && first_line[i] != ' ' && first_line[i] != '\t'; i++)
		;
	argument = 0;
	if (first_line[i]) {
		first_line[i++] = 0;
		while (first_line[i] == ' ' || first_line[i] == '\t')
			i++;
		argument = first_line + i;
	}
	if (!depth) {
		memmove(script, path, text_length(path) + 1);
		a->prefix[a->prefix_count++] = script;
		a->skip = a->argc ? 1 : 0;
	}
	put = argument && *argument ? 2 : 1;
	for (i = (int)a->prefix_count; i-- > 0;)
		a->prefix[i + put] = a->prefix[i];
	a->prefix[0] = first_line + start;
	if (put == 2)
		a->prefix[1] = argument;
	a->prefix_count += (u32)put;
	return 1;
}

int exec_run(struct process *p, int at, const char *path, address argv, address envp)
{
	struct arguments a;
	struct image image;
	struct memory *m;
	struct node *node;
	address sp;
	u32 depth;
	int error = runnable(p, at, path, &node);

	if (error)
		return error;
	memset(&a, 0, sizeof a);
	memset(&image, 0, sizeof image);
	image.personality = p->personality;
	a.argv = argv;
	a.envp = envp;
	if (p->memory->regions) { /* not at the very start */
		error = count(p, argv, &a.argc, &a.bytes);
		if (!error)
			error = count(p, envp, &a.envc, &a.bytes);
		if (error)
			return error;
	} else {
		a.prefix[a.prefix_count++] = path;
		a.argv = a.envp = 0;
	}
	if (p->memory->regions) {
		for (depth = 0; (error = parse_script(node, &a, path, depth)) > 0; depth++) {
			path = a.prefix[0];
			error = runnable(p, AT_FDCWD, path, &node);
			if (error)
				return error;
		}
		if (error)
			return error;
	}
	m = memory_new();
	if (!m)
		return -ENOMEM;
	interpreter[0] = 0;
	error = load(p, m, node, &image, DYNAMIC_BASE, 1);
	if (!error)
		error = make_stack(p, m, &a, &image, path, &sp);
	if (error) {
		memory_drop(m);
		return error;
	}
	take_over(p, m, a.skip || a.prefix_count > 1 ? script : path, &image, sp);
	return KEEP;
}

int exec_init(struct process *p)
{
	return exec_run(p, AT_FDCWD, "/init", 0, 0) == KEEP ? 0 : -1;
}
