/* wide.c: programs of 64 bits. Their calls are those of i386 under other numbers, with arguments in other registers, and words of 64 bits where i386 has 32: here they
   are put as i386 has them, once, for all calls. What lies in memory is read and written by its width where it is (user_words, WIDE in personality/).

   A program of 64 bits lives below USER_TOP as well. So each word that it may sensibly give, an address or a size, has 32 bits; one that has more becomes ~0, at which
   nothing lies and which is too large for everything. Only offsets in files are as wide as they are. What is no word (descriptors, flags, modes, numbers) counts with
   its lower half, as in Linux. */

#include "personality/call.h"

/* What an argument is, two bits each. */
#define W(n) (1u << 2 * ((n) - 1)) /* a word */
#define O(n) (2u << 2 * ((n) - 1)) /* an offset, as it is */
#define S(n) (3u << 2 * ((n) - 1)) /* an offset; i386 has it in two, lower half first */
#define KIND_OF(kinds, n) ((kinds) >> 2 * (n) & 3)

#define WIDE_LAST 450u

/* By the numbers of x86_64: the number of i386 (of the call with times of 64 bits, where there are two), and what its arguments are. */
static const struct { u16 as, kinds; } wide_calls[WIDE_LAST + 1] = {
	[0] = { 3, W(2) | W(3) }, [1] = { 4, W(2) | W(3) }, [2] = { 5, W(1) }, [3] = { 6, 0 }, [4] = { 195, W(1) | W(2) }, [5] = { 197, W(2) },
	[6] = { 196, W(1) | W(2) }, [7] = { 168, W(1) }, [8] = { 19, O(2) }, [9] = { 192, W(1) | W(2) | O(6) }, [10] = { 125, W(1) | W(2) },
	[11] = { 91, W(1) | W(2) }, [12] = { 45, W(1) }, [13] = { 174, W(2) | W(3) }, [14] = { 175, W(2) | W(3) }, [15] = { 173, 0 }, [16] = { 54, W(3) },
	[17] = { 180, W(2) | W(3) | S(4) }, [18] = { 181, W(2) | W(3) | S(4) }, [19] = { 145, W(2) }, [20] = { 146, W(2) }, [21] = { 33, W(1) },
	[22] = { 42, W(1) }, [23] = { 142, W(2) | W(3) | W(4) | W(5) }, [24] = { 158, 0 }, [25] = { 163, W(1) | W(2) | W(3) | W(5) }, [26] = { 144, W(1) | W(2) },
	[27] = { 218, W(1) | W(2) | W(3) }, [28] = { 219, W(1) | W(2) }, [29] = { 395, W(2) }, [30] = { 397, W(2) }, [31] = { 396, W(3) }, [32] = { 41, 0 },
	[33] = { 63, 0 }, [34] = { 29, 0 }, [35] = { 162, W(1) | W(2) }, [36] = { 105, W(2) }, [37] = { 27, 0 }, [38] = { 104, W(2) | W(3) }, [39] = { 20, 0 },
	[40] = { 239, W(3) | W(4) }, [41] = { 359, 0 }, [42] = { 362, W(2) }, [43] = { 364, W(2) | W(3) }, [44] = { 369, W(2) | W(3) | W(5) },
	[45] = { 371, W(2) | W(3) | W(5) | W(6) }, [46] = { 370, W(2) }, [47] = { 372, W(2) }, [48] = { 373, 0 }, [49] = { 361, W(2) }, [50] = { 363, 0 },
	[51] = { 367, W(2) | W(3) }, [52] = { 368, W(2) | W(3) }, [53] = { 360, W(4) }, [54] = { 366, W(4) }, [55] = { 365, W(4) | W(5) },
	[56] = { 120, W(2) | W(3) | W(4) | W(5) }, [57] = { 2, 0 }, [58] = { 190, 0 }, [59] = { 11, W(1) | W(2) | W(3) }, [60] = { 1, 0 },
	[61] = { 114, W(2) | W(4) }, [62] = { 37, 0 }, [64] = { 393, 0 }, [65] = { 420, W(2) }, [66] = { 394, W(4) }, [67] = { 398, W(1) }, [63] = { 122, W(1) },
	[72] = { 221, W(3) }, [73] = { 143, 0 }, [78] = { 141, W(2) }, [74] = { 118, 0 }, [75] = { 148, 0 }, [76] = { 193, W(1) | S(2) }, [77] = { 194, S(2) },
	[79] = { 183, W(1) | W(2) }, [80] = { 12, W(1) }, [81] = { 133, 0 }, [82] = { 38, W(1) | W(2) }, [83] = { 39, W(1) }, [84] = { 40, W(1) },
	[85] = { 8, W(1) }, [86] = { 9, W(1) | W(2) }, [87] = { 10, W(1) }, [88] = { 83, W(1) | W(2) }, [89] = { 85, W(1) | W(2) }, [90] = { 15, W(1) },
	[91] = { 94, 0 }, [92] = { 212, W(1) }, [93] = { 207, 0 }, [94] = { 198, W(1) }, [95] = { 60, 0 }, [96] = { 78, W(1) | W(2) }, [97] = { 191, W(2) },
	[98] = { 77, W(2) }, [99] = { 116, W(1) }, [100] = { 43, W(1) }, [102] = { 199, 0 }, [104] = { 200, 0 }, [105] = { 213, 0 }, [106] = { 214, 0 },
	[107] = { 201, 0 }, [108] = { 202, 0 }, [109] = { 57, 0 }, [110] = { 64, 0 }, [111] = { 65, 0 }, [112] = { 66, 0 }, [113] = { 203, 0 },
	[114] = { 204, 0 }, [115] = { 205, W(2) }, [116] = { 206, W(2) }, [117] = { 208, 0 }, [118] = { 209, W(1) | W(2) | W(3) }, [119] = { 210, 0 },
	[120] = { 211, W(1) | W(2) | W(3) }, [121] = { 132, 0 }, [124] = { 147, 0 }, [125] = { 184, W(1) | W(2) }, [126] = { 185, W(1) | W(2) }, [127] = { 176, W(1) | W(2) }, [128] = { 421, W(1) | W(2) | W(3) | W(4) },
	[129] = { 178, W(3) }, [130] = { 179, W(1) | W(2) }, [131] = { 186, W(1) | W(2) }, [132] = { 30, W(1) | W(2) }, [133] = { 14, W(1) }, [135] = { 136, 0 },
	[137] = { 99, W(1) | W(2) }, [138] = { 100, W(2) }, [140] = { 96, 0 }, [141] = { 97, 0 }, [142] = { 154, W(2) }, [143] = { 155, W(2) },
	[144] = { 156, W(3) }, [145] = { 157, 0 }, [146] = { 159, 0 }, [147] = { 160, 0 }, [148] = { 423, W(2) }, [149] = { 150, W(1) | W(2) }, [150] = { 151, W(1) | W(2) },
	[151] = { 152, 0 }, [152] = { 153, 0 }, [157] = { 172, W(2) }, [158] = { 384, W(2) }, [160] = { 75, W(2) }, [161] = { 61, W(1) }, [162] = { 36, 0 },
	[165] = { 21, W(1) | W(2) | W(3) | W(5) }, [166] = { 52, W(1) }, [169] = { 88, 0 }, [170] = { 74, W(1) }, [173] = { 101, 0 }, [186] = { 224, 0 },
	[187] = { 225, S(2) | W(3) }, [188] = { 226, 0 }, [189] = { 227, 0 }, [190] = { 228, 0 }, [191] = { 229, 0 }, [192] = { 230, 0 }, [193] = { 231, 0 }, [194] = { 232, 0 },
	[195] = { 233, 0 }, [196] = { 234, 0 }, [197] = { 235, 0 }, [198] = { 236, 0 }, [199] = { 237, 0 }, [200] = { 238, 0 }, [201] = { 13, W(1) },
	[202] = { 422, W(1) | W(4) | W(5) }, [203] = { 241, W(3) }, [204] = { 242, W(3) }, [213] = { 254, 0 }, [217] = { 220, W(2) }, [218] = { 258, W(1) },
	[220] = { 420, W(2) | W(4) }, [221] = { 250, 0 }, [222] = { 259, W(2) | W(3) }, [223] = { 409, W(3) | W(4) }, [224] = { 408, W(2) }, [225] = { 262, 0 },
	[226] = { 263, 0 }, [227] = { 264, W(2) }, [228] = { 403, W(2) }, [229] = { 406, W(2) }, [230] = { 407, W(3) | W(4) }, [231] = { 252, 0 },
	[232] = { 256, W(2) }, [233] = { 255, W(4) }, [234] = { 270, 0 }, [235] = { 271, W(1) | W(2) }, [247] = { 284, W(3) | W(5) }, [257] = { 295, W(2) },
	[258] = { 296, W(2) }, [259] = { 297, W(2) }, [260] = { 298, W(2) }, [262] = { 300, W(2) | W(3) }, [263] = { 301, W(2) }, [264] = { 302, W(2) | W(4) },
	[265] = { 303, W(2) | W(4) }, [266] = { 304, W(1) | W(3) }, [267] = { 305, W(2) | W(3) }, [268] = { 306, W(2) }, [269] = { 307, W(2) },
	[270] = { 413, W(2) | W(3) | W(4) | W(5) | W(6) }, [271] = { 414, W(1) | W(3) | W(4) | W(5) }, [273] = { 311, W(1) | W(2) },
	[275] = { 313, W(2) | W(4) | W(5) }, [276] = { 315, W(3) }, [280] = { 412, W(2) | W(3) }, [281] = { 319, W(2) | W(5) | W(6) },
	[282] = { 321, W(2) | W(3) }, [283] = { 322, 0 }, [284] = { 323, 0 }, [285] = { 324, S(3) | S(4) }, [286] = { 411, W(3) | W(4) }, [287] = { 410, W(2) },
	[288] = { 364, W(2) | W(3) }, [289] = { 327, W(2) | W(3) }, [290] = { 328, 0 }, [291] = { 329, 0 }, [292] = { 330, 0 }, [293] = { 331, W(1) },
	[295] = { 333, W(2) | W(3) | S(4) }, [296] = { 334, W(2) | W(3) | S(4) }, [302] = { 340, W(3) | W(4) }, [306] = { 344, 0 }, [309] = { 318, W(1) | W(2) }, [316] = { 353, W(2) | W(4) },
	[318] = { 355, W(1) | W(2) }, [319] = { 356, W(1) }, [326] = { 377, W(2) | W(4) | W(5) }, [327] = { 378, W(2) | W(3) | S(4) },
	[328] = { 379, W(2) | W(3) | S(4) }, [332] = { 383, W(2) | W(5) }, [334] = { 386, 0 }, [435] = { 435, 0 }, [436] = { 436, 0 }, [439] = { 439, W(2) },
	[441] = { 441, W(2) | W(4) | W(5) | W(6) },
};

/* The arguments as i386 has them; the registers themselves stay. */
struct machine_registers *wide_arguments(struct process *p, u32 *number)
{
	static struct machine_registers as;
	struct machine_registers *r = p->r;
	u64 given[6] = { r->edi, r->esi, r->edx, r->r10, r->r8, r->r9 };
	machine_word to[7];
	u32 wide = *number, kinds, i, n = 0;

	*number = wide <= WIDE_LAST ? wide_calls[wide].as : 0;
	kinds = *number ? wide_calls[wide].kinds : 0;
	for (i = 0; i < 6 && n < 6; i++)
		switch (KIND_OF(kinds, i)) {
		case 0:
			to[n++] = (u32)given[i];
			break;
		case 1:
			to[n++] = word_of_user(given[i]);
			break;
		case 2:
			to[n++] = given[i];
			break;
		default:
			to[n++] = (u32)given[i];
			to[n++] = given[i] >> 32;
		}
	as = *r;
	as.ebx = to[0];
	as.ecx = to[1];
	as.edx = to[2];
	as.esi = to[3];
	as.edi = to[4];
	as.ebp = to[5];
	as.eax = *number;
	switch (wide) {
	case 43: /* accept is accept4 without flags */
		as.esi = 0;
		break;
	case 56: /* clone has its last two the other way round */
		as.esi = to[4];
		as.edi = to[3];
		break;
	case 72: /* fcntl: what is no address of a lock is a number */
		if (!((as.ecx >= 5 && as.ecx <= 7) || (as.ecx >= 36 && as.ecx <= 38)))
			as.edx = (u32)given[2];
		break;
	case 66: /* semctl: a structure, numbers of all, or a number */
		if (as.edx != 1 && as.edx != 2 && as.edx != 3 && as.edx != 19 && as.edx != 13 && as.edx != 17)
			as.esi = (u32)given[3];
		break;
	case 65: /* semop is semtimedop without a time */
		as.esi = 0;
		break;
	case 327: /* preadv2, pwritev2: an offset is given whole, and the upper half that i386 has is not looked at */
	case 328:
		as.ebp = (u32)given[5];
	}
	return &as;
}

int wide_refuse(struct process *p)
{
	static u8 told[WIDE_LAST + 1];
	u32 number = (u32)p->r->eax, i = number > WIDE_LAST ? WIDE_LAST : number;

	if (!told[i]) {
		told[i] = 1;
		note("system call ");
		note_number(number);
		note(" of x86_64 is not served; first asked by ");
		note(p->name);
		note("\n");
	}
	return -ENOSYS;
}

/* ---- signals: the frame that a handler returns through, as Linux has it on x86_64 ---- */

struct wide_frame {
	u64 return_to, flags, link, stack, stack_flags, stack_size;
	u64 r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, eflags;
	u16 cs, gs, fs, ss;
	u64 error, trap, old_mask, cr2, floating_at, reserved[8], mask;
	u32 info[32];
	u8 floating[512];
};

#define RED_ZONE 128u /* below the stack, of a function that calls none */

int wide_push(struct process *p, int number, struct action *a, address sp, u64 mask, const struct machine_fault *fault)
{
	static struct wide_frame f;
	struct machine_registers *r = p->r;
	address at = ((sp - (sp == r->esp ? RED_ZONE : 0) - sizeof f) & ~15ul) - 8;

	if (!(a->flags & SA_RESTORER))
		return -EFAULT; /* as in Linux: there is no way back */
	memset(&f, 0, sizeof f);
	f.return_to = a->restorer;
	f.stack = p->alternate;
	f.stack_flags = p->alternate_size ? 0 : 2;
	f.stack_size = p->alternate_size;
	f.r8 = r->r8;
	f.r9 = r->r9;
	f.r10 = r->r10;
	f.r11 = r->r11;
	f.r12 = r->r12;
	f.r13 = r->r13;
	f.r14 = r->r14;
	f.r15 = r->r15;
	f.di = r->edi;
	f.si = r->esi;
	f.bp = r->ebp;
	f.bx = r->ebx;
	f.dx = r->edx;
	f.ax = r->eax;
	f.cx = r->ecx;
	f.sp = r->esp;
	f.ip = r->eip;
	f.eflags = r->eflags;
	f.cs = 0x33; /* Linux's, whatever the machine's */
	f.ss = 0x2b;
	f.old_mask = f.mask = mask;
	f.cr2 = p->last_fault;
	f.floating_at = at + (u64)((char *)f.floating - (char *)&f);
	origin_tell(p, f.info, number, signal_origin(p, number));
	if (fault) {
		memset(f.info + 4, 0, 12);
		f.info[2] = (u32)fault->code;
		memcpy(f.info + 4, &fault->at, 8);
		f.trap = fault->trap;
		f.error = fault->error;
	}
	machine_thread_float_get(p->thread, f.floating);
	if (user_write(p, at, &f, sizeof f))
		return -EFAULT;
	r->esp = at;
	r->eax = 0;
	r->edi = (u32)number;
	r->esi = at + (u64)((char *)f.info - (char *)&f);
	r->edx = at + (u64)((char *)&f.flags - (char *)&f);
	return 0;
}

/* The way back: its return address has been taken off. Flags and address are looked at by the machine before they count. */
int wide_return(struct process *p)
{
	static struct wide_frame f;
	struct machine_registers *r = p->r;

	if (user_read(p, &f, r->esp - 8, sizeof f))
		return -EFAULT;
	if (f.floating_at && user_read(p, f.floating, f.floating_at, sizeof f.floating))
		return -EFAULT;
	p->blocked = f.mask & ~UNBLOCKABLE;
	r->r8 = f.r8;
	r->r9 = f.r9;
	r->r10 = f.r10;
	r->r11 = f.r11;
	r->r12 = f.r12;
	r->r13 = f.r13;
	r->r14 = f.r14;
	r->r15 = f.r15;
	r->edi = f.di;
	r->esi = f.si;
	r->ebp = f.bp;
	r->ebx = f.bx;
	r->edx = f.dx;
	r->eax = f.ax;
	r->ecx = f.cx;
	r->esp = f.sp;
	r->eip = f.ip;
	r->eflags = f.eflags;
	machine_thread_float_set(p->thread, f.floating);
	return 0;
}
