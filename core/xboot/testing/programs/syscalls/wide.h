/* wide.h: the programs on x86_64. There a call has another number, registers hold what i386 has in halves, and some old calls are gone. The sections name each call by
   i386's number: here it is made as x86_64 has it, by a table of this file's own (what a kernel under test does to its calls is its own affair). */

#define WIDE 1

enum {
    STAT_LINKS = 4, STAT_MODE = 6, STAT_UID = 7, STAT_GID = 8, STAT_DEVICE = 10, STAT_SIZE = 12, STAT_BLOCKS = 16, STAT_ATIME = 18, STAT_MTIME = 22, STAT_MTIME_NS = 24,
    STAT_WORDS = 36, ARCH_PRCTL = 384
};

long call(long number, long a, long b, long c, long d, long e, long f);
#define sys(...) sys_of(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define sys_of(number, a, b, c, d, e, f, ...) wide_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

asm(".text\n.globl call\ncall:\n\tmov %rdi, %rax\n\tmov %rsi, %rdi\n\tmov %rdx, %rsi\n\tmov %rcx, %rdx\n\tmov %r8, %r10\n\tmov %r9, %r8\n\tmov 8(%rsp), %r9\n\tsyscall\n\tret\n"
    ".globl _start\n_start:\n\tmov %rsp, %rdi\n\tcall start_c\n"
    ".globl vfork_and_exit\nvfork_and_exit:\n\tpop %rsi\n\tmov $58, %eax\n\tsyscall\n\ttest %eax, %eax\n\tjne parent\n\tmov $60, %eax\n\tmov $9, %edi\n\tsyscall\n"
    "parent:\tpush %rsi\n\tret\n"
    ".globl restore\nrestore:\n.globl restore_info\nrestore_info:\n\tmov $15, %eax\n\tsyscall\n"
    ".globl thread_clone\nthread_clone:\n\tsub $16, %rsi\n\tmov %r8, (%rsi)\n\tmov %r9, 8(%rsi)\n\tmov %rcx, %r10\n\txor %r8, %r8\n\tmov $56, %eax\n\tsyscall\n\ttest %eax, %eax\n"
    "\tje thread_begins\n\tret\nthread_begins:\n\tpop %rax\n\tpop %rdi\n\tcall *%rax\n\tmov %eax, %edi\n\tmov $60, %eax\n\tsyscall\n\thlt\n");

/* By i386's number; who asks for one that is missing ends. What is beyond, nobody knows, and is made as it is. 0 is read. */
static const u16 wide_numbers[] = {
    [1] = 60, [2] = 57, [4] = 1, [5] = 2, [6] = 3, [7] = 61, [8] = 85, [9] = 86, [10] = 87, [11] = 59, [12] = 80, [13] = 201, [14] = 133, [15] = 90, [16] = 94, [19] = 8,
    [20] = 39, [21] = 165, [27] = 37, [29] = 34, [30] = 132, [33] = 21, [37] = 62, [38] = 82, [39] = 83, [40] = 84, [41] = 32, [42] = 22, [43] = 100, [45] = 12, [48] = 13,
    [52] = 166, [54] = 16, [55] = 72, [57] = 109, [60] = 95, [61] = 161, [63] = 33, [64] = 110, [65] = 111, [66] = 112, [75] = 160, [76] = 97, [77] = 98, [78] = 96, [80] = 115, [83] = 88,
    [85] = 89, [91] = 11, [92] = 76, [93] = 77, [94] = 91, [95] = 93, [96] = 140, [97] = 141, [99] = 137, [101] = 173, [104] = 38, [105] = 36, [106] = 4, [107] = 6, [108] = 5, [114] = 61, [116] = 99,
    [118] = 74, [120] = 56, [122] = 63, [125] = 10, [126] = 14, [132] = 121, [133] = 81, [136] = 135, [141] = 78, [142] = 23, [143] = 73, [145] = 19, [146] = 20, [147] = 124,
    [148] = 75, [158] = 24, [161] = 148, [162] = 35, [163] = 25, [168] = 7, [172] = 157, [174] = 13, [175] = 14, [176] = 127, [177] = 128, [179] = 130, [180] = 17, [181] = 18,
    [182] = 92, [183] = 79, [184] = 125, [185] = 126, [186] = 131, [187] = 40, [190] = 58, [191] = 97, [192] = 9, [193] = 76, [194] = 77, [195] = 4, [196] = 6, [197] = 5, [198] = 94, [199] = 102,
    [200] = 104, [201] = 107, [203] = 113, [204] = 114, [205] = 115, [206] = 116, [207] = 93, [208] = 117, [209] = 118, [210] = 119, [211] = 120, [212] = 92, [213] = 105,
    [214] = 106, [218] = 27, [219] = 28, [220] = 217, [221] = 72, [224] = 186, [225] = 187, [238] = 200, [239] = 40, [240] = 202, [241] = 203, [242] = 204, [252] = 231, [255] = 233, [256] = 232,
    [258] = 218, [259] = 222, [260] = 223, [261] = 224, [262] = 225, [263] = 226, [264] = 227, [265] = 228, [266] = 229, [267] = 230, [268] = 137, [269] = 138, [270] = 234,
    [271] = 235, [284] = 247, [295] = 257, [296] = 258, [297] = 259, [298] = 260, [300] = 262, [301] = 263, [302] = 264, [303] = 265, [304] = 266, [305] = 267, [306] = 268,
    [307] = 269, [308] = 270, [309] = 271, [311] = 273, [313] = 275, [315] = 276, [318] = 309, [320] = 280, [322] = 283, [324] = 285, [325] = 286, [326] = 287, [327] = 289, [328] = 290,
    [329] = 291, [330] = 292, [331] = 293, [333] = 295, [334] = 296, [340] = 302, [344] = 306, [353] = 316, [355] = 318, [360] = 53, [377] = 326, [378] = 327, [379] = 328, [383] = 332, [384] = 158, [403] = 228,
    [407] = 230, [408] = 224, [409] = 223, [393] = 64, [394] = 66, [395] = 29, [396] = 31, [397] = 30, [398] = 67, [412] = 280, [420] = 220, [423] = 148
};

static long wide_whole(long low, long high) /* what i386 has in two halves */
{
    return (long)((u64)high << 32 | (u32)low);
}

/* i386's one call for all of System V's */
static long wide_ipc(long which, long first, long second, long third, long pointer)
{
    long at;

    switch (which) {
    case 1:
        return call(65, first, pointer, second, 0, 0, 0);
    case 2:
        return call(64, first, second, third, 0, 0, 0);
    case 3:
        return call(66, first, second, third, *(int *)pointer, 0, 0);
    case 21:
        at = call(30, first, pointer, second, 0, 0, 0);
        *(long *)third = at;
        return at < 0 ? at : 0;
    case 22:
        return call(67, pointer, 0, 0, 0, 0, 0);
    case 23:
        return call(29, first, second, third, 0, 0, 0);
    case 24:
        return call(31, first, second, pointer, 0, 0, 0);
    }
    return call(231, 99, 0, 0, 0, 0, 0);
}

static long wide_call(int number, long a, long b, long c, long d, long e, long f)
{
    long action[4];
    int known = number > 0 && (u32)number < sizeof wide_numbers / sizeof *wide_numbers;

    if (known && !wide_numbers[number] && number != 3 && number != 34 && number != 48 && number != 117)
        call(231, 99, 0, 0, 0, 0, 0);
    switch (number) {
    case 7: /* waitpid */
        d = 0;
        break;
    case 34: /* nice, as C libraries make it: 20 less the value is told, and who may not is told EPERM */
        b = 20 - call(140, 0, 0, 0, 0, 0, 0) + a;
        b = call(141, 0, 0, b, 0, 0, 0);
        return b == -13 ? -1 : b;
    case 48: /* signal; nobody here asks what was */
        action[0] = b;
        action[1] = 0xc4000000; /* SA_RESTORER, SA_NODEFER, SA_RESETHAND */
        action[2] = (long)restore;
        action[3] = 0;
        return call(13, a, (long)action, 0, 8, 0, 0);
    case 117:
        return wide_ipc(a, b, c, d, e);
    case 120: /* clone has its last two the other way round */
        action[0] = d;
        d = e;
        e = action[0];
        break;
    case 126: /* sigprocmask */
        d = 8;
        break;
    case 180: /* pread, pwrite, preadv, pwritev, and with flags */
    case 181:
    case 333:
    case 334:
    case 378:
    case 379:
        d = wide_whole(d, e);
        break;
    case 192: /* mmap2 counts in pages */
        f *= 4096;
        break;
    case 193: /* truncate64, ftruncate64 */
    case 194:
        b = wide_whole(b, c);
        break;
    case 225: /* readahead */
        b = wide_whole(b, c);
        c = d;
        break;
    case 268: /* statfs64, fstatfs64 are told a size */
    case 269:
        b = c;
        break;
    case 324: /* fallocate */
        c = wide_whole(c, d);
        d = wide_whole(e, f);
    }
    return call(known ? wide_numbers[number] : number, a, b, c, d, e, f);
}
