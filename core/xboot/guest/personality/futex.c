/* futex.c: waiting for a word of memory to change. Those who wait stand in the order in which they came. A word is known by its memory and its address. */

#include "call.h"

#define ROBUST_LIMIT 2048u
#define OWNER_DIED 0x40000000u
#define WAITERS 0x80000000u
#define OWNER 0x3fffffffu

static u32 turns;

struct word { /* in shared memory: what is shown there and where in it, for all who show it; else the memory and the address. Compared, never followed. */
	void *base;
	machine_word at;
};

static struct word word_of(struct process *p, address at)
{
	struct region *r = region_at(p->memory, at);
	struct word word = { p->memory, at };

	if (r && r->view.shared && r->view.node) {
		word.base = r->view.node;
		word.at = r->view.page * PAGE_SIZE + (at - r->start);
	}
	return word;
}

/* The one that has waited longest for this word with one of these bits; 0: nobody. */
static struct process *longest(struct word word, u32 bits)
{
	struct process *q, *first = 0;
	u32 i;

	for (i = 0; i < PROCESSES; i++) {
		q = processes[i];
		if (q && q->futex_base == word.base && q->futex_at == word.at && q->futex_bits & bits && (!first || (int)(q->futex_turn - first->futex_turn) < 0))
			first = q;
	}
	return first;
}

int futex_wake(struct process *p, address at, u32 number, u32 bits)
{
	struct word word = word_of(p, at);
	struct process *q;
	u32 done;

	for (done = 0; done < number && (q = longest(word, bits)); done++) {
		q->futex_base = 0;
		q->futex_woken = 1;
		if (q->state == WAITING)
			make_runnable(q);
	}
	return (int)done;
}

/* The second look at a word is the first that counts: nothing runs between it and sleeping. */
static int wait_for(struct process *p, address at, u32 value, u32 bits, nanoseconds length)
{
	struct word place = word_of(p, at);
	void *base = p->futex_base; /* it was moved to another word, perhaps */
	u32 word;
	int result;

	if (p->futex_woken) {
		p->futex_woken = 0;
		p->timed = 0;
		p->deadline = 0;
		return 0;
	}
	if (!p->futex_base) {
		if (at & 3 || !bits)
			return -EINVAL;
		if (user_read(p, &word, at, 4))
			return -EFAULT;
		if (word != value)
			return -EAGAIN;
		if (!length)
			return -ETIMEDOUT;
		base = place.base;
		p->futex_at = place.at;
		p->futex_bits = bits;
		p->futex_turn = ++turns;
	}
	p->futex_base = 0; /* unless it sleeps */
	if (length != ENDLESS) {
		result = timer_wait(p, length);
		if (result != WAIT)
			return -ETIMEDOUT;
	} else {
		sleep_on(p, &p->futex_at);
	}
	p->futex_base = base;
	return WAIT;
}

static int requeue(struct process *p, struct machine_registers *r, int compare)
{
	struct word from = word_of(p, r->ebx), to = word_of(p, r->edi);
	struct process *q;
	u32 word, moved, done;

	if (r->ebx & 3 || r->edi & 3 || (int)r->edx < 0 || (int)r->esi < 0)
		return -EINVAL;
	if (user_read(p, &word, r->ebx, 4) || (r->edi != r->ebx && user_read(p, &moved, r->edi, 4)))
		return -EFAULT;
	if (compare && word != r->ebp)
		return -EAGAIN;
	done = (u32)futex_wake(p, r->ebx, r->edx, ~0u);
	for (moved = 0; r->edi != r->ebx && moved < r->esi && (q = longest(from, ~0u)); moved++) {
		q->futex_base = to.base;
		q->futex_at = to.at;
		q->futex_turn = ++turns;
	}
	return (int)(compare ? done + moved : done);
}

/* Those that inherit priorities are refused: nobody has any here. */
CALL(futex)
{
	u32 command = r->ecx & 127, bits = command >= 9 ? r->ebp : ~0u;
	nanoseconds length = ENDLESS, now;
	int error;

	if (r->ecx & 256 && command != 9)
		return -ENOSYS;
	switch (command) {
	case 0: /* WAIT: for so long; WAIT_BITSET: until */
	case 9:
		error = time_get(p, r->esi, r->eax == 422, &length);
		if (error)
			return error;
		if (command == 9 && length != ENDLESS) {
			now = machine_clock() + (r->ecx & 256 ? date_offset : 0);
			length = length > now ? length - now : 0;
		}
		return wait_for(p, r->ebx, r->edx, bits, p->timed && !length ? 1 : length);
	case 1:
	case 10:
		if (r->ebx & 3 || !bits)
			return -EINVAL;
		if (r->ebx >= USER_TOP)
			return -EFAULT;
		return futex_wake(p, r->ebx, (int)r->edx > 1 ? r->edx : 1, bits);
	case 3:
		return requeue(p, r, 0);
	case 4:
		return requeue(p, r, 1);
	default:
		return -ENOSYS;
	}
}

/* A word that a thread which ends holds says so, and one who waits for it goes on. */
static void give_up(struct process *p, address at)
{
	u32 word;

	if (at & 3 || user_read(p, &word, at, 4) || (word & OWNER) != p->local)
		return;
	word = (word & WAITERS) | OWNER_DIED;
	if (!user_write(p, at, &word, 4) && word & WAITERS)
		futex_wake(p, at, 1, ~0u);
}

/* The robust list: {first entry, where the word lies from an entry on, the entry in the making}; each entry begins with the next. It ends where it began. */
void futex_robust(struct process *p)
{
	u32 head[3], i;
	u32 entry;

	if (!p->robust || user_words(p, head, p->robust, 3) || user_read(p, head + 1, p->robust + WORD(p), 4)) /* a distance, often below 0 */
		return;
	for (entry = head[0], i = 0; (entry & ~1u) != p->robust && i < ROBUST_LIMIT; i++) {
		if ((entry & ~1u) != (head[2] & ~1u))
			give_up(p, (entry & ~1u) + head[1]);
		if (user_words(p, &entry, entry & ~1u, 1))
			break;
	}
	if (head[2])
		give_up(p, (head[2] & ~1u) + head[1]);
	p->robust = 0;
}
