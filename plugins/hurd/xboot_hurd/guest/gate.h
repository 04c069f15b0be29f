/* gate.h: the two places that every builder's task has above its own memory; included by C and assembly.

   GATE_CODE, read only: turns a system call into a message to the server and the answer into the call's return
   (gate.S). GATE, the builder's own: the message, and what the code needs. A builder that writes here spoils its own
   calls and nothing else. */

#define GATE_CODE 0x7f900000
#define GATE 0x7f800000
#define GATE_SIZE 0x9000
#define GATE_TABLE 0x7f900800 /* by call number: what goes along with the message */

/* the message, both ways */
#define G_BITS GATE+0
#define G_REMOTE GATE+8
#define G_LOCAL GATE+12
#define G_ID GATE+20
#define G_EBX GATE+24
#define G_ECX GATE+28
#define G_EDX GATE+32
#define G_ESI GATE+36
#define G_EDI GATE+40
#define G_EBP GATE+44
#define G_EAX GATE+48
#define G_EIP GATE+52
#define G_ESP GATE+56
#define G_EFLAGS GATE+60
#define G_FS GATE+64
#define G_GS GATE+68
#define G_ORDER GATE+72   /* call: G_BREAK, if it is brk; answer: what to do next */
#define G_ADDRESS GATE+76 /* data from there ... */
#define G_LENGTH GATE+80  /* ... so many bytes */
#define G_PATCHES GATE+84 /* call: bytes that the gate has moved by itself since the last answer: read, and 65536 times written; answer: bytes of patches in the data */
#define G_DATA GATE+88
#define DATA_OFFSET 88      /* a multiple of 4, as DATA_MAX is */
#define DATA_MAX 0x5000

#define G_ARGUMENTS GATE+0x6000 /* eight words: mach_msg_trap's arguments, behind a place for a return address */
#define G_SEND_SIZE GATE+0x600c
#define G_FLAGS GATE+0x6020     /* what the gate runs with */
#define G_CALL GATE+0x6024      /* the number of the call, and where it returns to */
#define G_CALL_EIP GATE+0x6030
#define G_BREAK GATE+0x6028     /* the end of the heap, 0: not known ... */
#define G_BREAK_TOP GATE+0x602c /* ... and of its last page */
#define G_FLOATING GATE+0x6040  /* 512 bytes */
#define ARGUMENTS_OFFSET 0x6000

/* what the gate may do by itself until it sends the next message (window.c): answer a call that needs no more than the number, and move single
   bytes, which the program will read or has written, within two windows. A window is closed when its place (AT) has reached its end. */
#define G_OPEN GATE+0x7000
#define OPEN_OFFSET 0x7000
#define G_KNOWN GATE+0x7000 /* the number, ... */
#define G_ANSWER GATE+0x7004
#define KNOWN_NONE 0xffff   /* ... which no call has */
#define G_WRITE_FD GATE+0x7008
#define G_WRITE_AT GATE+0x700c
#define G_WRITE_END GATE+0x7010
#define G_READ_FD GATE+0x7014
#define G_READ_AT GATE+0x7018
#define G_READ_END GATE+0x701c
#define G_TO_READ GATE+0x7020
#define TO_READ_MOST 0xfe0
#define G_WRITTEN GATE+0x8000
#define WRITTEN_MOST 0x1000

/* orders */
#define ORDER_RETURN 0 /* back to the program */
#define ORDER_FETCH 1  /* send the data at G_ADDRESS */
#define ORDER_SAVE 2   /* the same, after the floating point state has been stored at G_FLOATING */
#define ORDER_LOAD 3   /* the same, after it has been taken from there */

/* what goes along with a call */
#define WITH_NOTHING 0
#define WITH_EBX 1      /* the memory at ebx, to the end of its page, at most PATH_BYTES: a path */
#define WITH_ECX 2      /* the same of ecx */
#define WITH_BUFFER 3   /* edx bytes at ecx, at most BUFFER_MOST: a write */
#define WITH_FLOATING 4 /* a fork: the floating point state is stored, for the child to load */
#define WITH_TIME 5     /* TIME_BYTES at edx: a time, in 64 bits or less */
#define WITH_WORD 6     /* a futex's wait: the word at ebx, and TIME_BYTES at esi, if that is not 0 */
#define TIME_BYTES 16

#define CALL_ID 0x78626f
#define CALL_NUMBERS 512
#define READ 3
#define WRITE 4
#define BRK 45
#define FUTEX 240
#define FUTEX_TIME64 422
#define MACH_NUMBERS 160 /* Mach's own are negative */
#define BUFFER_MOST 0x4000 /* and what a window holds still fits behind it */
#define PATH_BYTES 128   /* as much as the personality asks for at once; a message below 230 bytes takes Mach's short way */

#define REQUEST_NAME 0x21 /* port names in the builder's task: the send right to the server ... */
#define ANSWER_NAME 0x22  /* ... and the receive right for its answers */
