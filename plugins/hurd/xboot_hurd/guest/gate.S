/* gate.S: the code at GATE_CODE in every builder's task. It is copied there, so it jumps only within itself.

   Mach's emulation vector leads every `int $0x80`, and every call of Mach but mach_msg, to gate_code, with EFLAGS and
   the return address pushed on the program's stack. The registers go into a message; the server's answer brings them
   back, and beforehand orders to write to the program's memory (patches) or to send some of it. The code runs with
   the builder's own rights: what it cannot touch faults, and the server learns of that as of any other fault. */

#include "gate.h"

	.data
	.globl gate_code, gate_code_end, gate_skip, gate_agent, gate_child, gate_fetch
	.globl gate_call, gate_write, gate_written, gate_write_call, gate_read, gate_moved, gate_read_call
gate_code:
	cmp $BRK, %eax
	je gate_heap
	cmp G_KNOWN, %eax
	je gate_answer
	/* A byte that an open window holds, or has room for, is moved here; the server learns of it with the next message. What
	   is done here until the count has grown may be done once more: where the program's own address faults, or the thread is
	   stopped meanwhile, the server leads it to the call instead (thread.c). */
	cmp $1, %edx
	jne gate_call
	cmp $GATE, %ecx             /* what lies here is no memory of the program's */
	jae gate_call
	cmp $READ, %eax
	je gate_read
	cmp $WRITE, %eax
	jne gate_call
gate_write:
	cmp G_WRITE_FD, %ebx
	jne gate_call
	mov G_WRITE_AT, %eax
	cmp G_WRITE_END, %eax
	jae gate_write_call
	mov (%ecx), %dl
	mov %dl, (%eax)
	incl G_WRITE_AT
gate_written:
	jmp gate_moved
gate_read:
	cmp G_READ_FD, %ebx
	jne gate_call
	mov G_READ_AT, %eax
	cmp G_READ_END, %eax
	jae gate_read_call
	mov (%eax), %dl
	mov %dl, (%ecx)
	incl G_READ_AT
gate_moved:
	mov $1, %eax
	mov %eax, %edx
	popf
	ret

gate_answer:
	mov G_ANSWER, %eax
	popf
	ret

	/* brk within the heap's last page changes nothing but a number that only the program asks for, and C libraries call
	   it for every malloc: it is answered here. The server learns of it with the next brk that is not. */
gate_heap:
	cmpl $0, G_BREAK
	je gate_call
	test %ebx, %ebx
	je gate_break
	cmp G_BREAK, %ebx
	jb gate_call
	cmp G_BREAK_TOP, %ebx
	ja gate_call
	mov %ebx, G_BREAK
gate_break:
	mov G_BREAK, %eax
	popf
	ret

gate_read_call:
	mov $READ, %eax
	mov $1, %edx
	jmp gate_call
gate_write_call:
	mov $WRITE, %eax
	mov $1, %edx
gate_call:
	mov %eax, G_CALL
	mov %eax, G_EAX
	mov G_BREAK, %eax
	mov %eax, G_ORDER
	mov G_CALL, %eax
	mov %ebx, G_EBX
	mov %ecx, G_ECX
	mov %edx, G_EDX
	mov %esi, G_ESI
	mov %edi, G_EDI
	mov %ebp, G_EBP
	popl G_EFLAGS
	popl G_EIP
	mov G_EIP, %ebp
	mov %ebp, G_CALL_EIP
	mov %esp, G_ESP
	mov %fs, %ebp
	mov %ebp, G_FS
	mov %gs, %ebp
	mov %ebp, G_GS
	/* the program's may be dangerous: with NT set, Mach's way back through the call gate would never end */
	mov $G_FLAGS, %esp
	popf
	cmp $CALL_NUMBERS, %eax
	jae gate_skip
	xor %ebx, %ebx
	movb GATE_TABLE(%eax), %bl
	xchg %ecx, %esi             /* esi: the second argument */
	cmp $WITH_NOTHING, %ebx
	je gate_skip
	cmp $WITH_ECX, %ebx
	je gate_path
	cmp $WITH_BUFFER, %ebx
	je gate_buffer
	cmp $WITH_FLOATING, %ebx
	je gate_fork
	cmp $WITH_TIME, %ebx
	je gate_time
	cmp $WITH_WORD, %ebx
	je gate_word
	mov G_EBX, %esi
gate_path:
	mov %esi, %ecx
	and $4095, %ecx
	neg %ecx
	add $4096, %ecx
	cmp $PATH_BYTES, %ecx
	jbe gate_fetch
	mov $PATH_BYTES, %ecx
	jmp gate_fetch
gate_buffer:
	mov %edx, %ecx
	cmp $BUFFER_MOST, %ecx
	jbe gate_fetch
	mov $BUFFER_MOST, %ecx
	jmp gate_fetch
gate_time:
	mov %edx, %esi
	mov $TIME_BYTES, %ecx
	jmp gate_fetch
gate_fork:
	fxsave G_FLOATING
	jmp gate_skip

gate_fetch:                         /* esi: from, ecx: bytes. A fault in here continues at gate_skip. */
	mov %esi, G_ADDRESS
	mov %ecx, G_LENGTH
	mov $G_DATA, %edi
	mov %ecx, %ebx
	shr $2, %ecx
	rep movsl
	mov %ebx, %ecx
	and $3, %ecx
	rep movsb
	jmp gate_send
gate_word:
	and $127, %esi
	jz gate_wait                /* FUTEX_WAIT */
	cmp $9, %esi                /* FUTEX_WAIT_BITSET */
	jne gate_skip
gate_wait:
	mov G_EBX, %edi
	mov (%edi), %eax
	mov %eax, G_DATA
	mov %edi, G_ADDRESS
	movl $4, G_LENGTH
	mov %ecx, %esi
	test %ecx, %ecx
	je gate_send
	mov $G_DATA+4, %edi
	movsl
	movsl
	movsl
	movsl
	movl $4+TIME_BYTES, G_LENGTH
	jmp gate_send
gate_skip:
	movl $0, G_LENGTH
gate_send:
	mov G_LENGTH, %edi          /* what was written to the window goes behind the data */
	add $3, %edi
	and $-4, %edi               /* Mach takes whole words */
	add $G_DATA, %edi
	mov $G_WRITTEN, %esi
	mov G_WRITE_AT, %ecx
	sub %esi, %ecx
	mov %ecx, %eax
	shl $16, %eax
	mov G_READ_AT, %ebx
	sub $G_TO_READ, %ebx
	or %ebx, %eax
	mov %eax, G_PATCHES
	movl $KNOWN_NONE, G_KNOWN   /* all is closed */
	mov %esi, G_WRITE_AT
	mov %esi, G_WRITE_END
	movl $G_TO_READ, G_READ_AT
	movl $G_TO_READ, G_READ_END
	rep movsb
	sub $GATE-3, %edi
	and $-4, %edi
	mov %edi, G_SEND_SIZE
	movl $19, G_BITS            /* MACH_MSG_TYPE_COPY_SEND */
	movl $REQUEST_NAME, G_REMOTE
	movl $0, G_LOCAL
	movl $CALL_ID, G_ID
	mov $G_ARGUMENTS, %esp
	mov $-25, %eax              /* mach_msg_trap */
	lcall $7, $0
	test %eax, %eax
	jne gate_broken

	mov $G_DATA, %esi
	mov G_PATCHES, %edx
	add %esi, %edx
gate_patch:
	cmp %edx, %esi
	jae gate_patched
	mov (%esi), %edi
	mov 4(%esi), %ebx
	add $8, %esi
	mov %ebx, %ecx
	shr $2, %ecx
	rep movsl
	mov %ebx, %ecx
	and $3, %ecx
	rep movsb
	add $3, %esi
	and $-4, %esi
	jmp gate_patch
gate_patched:
	mov G_ORDER, %eax
	mov G_ADDRESS, %esi
	mov G_LENGTH, %ecx
	cmp $ORDER_RETURN, %eax
	je gate_return
	cmp $ORDER_FETCH, %eax
	je gate_fetch
	cmp $ORDER_SAVE, %eax
	je gate_save
	fxrstor G_FLOATING
	jmp gate_fetch
gate_save:
	fxsave G_FLOATING
	jmp gate_fetch

gate_return:
	cmpl $BRK, G_CALL
	jne gate_go
	xor %eax, %eax
	mov G_EIP, %ebx
	cmp G_CALL_EIP, %ebx        /* a signal comes first: what brk said is not in eax now */
	jne gate_known
	mov G_EAX, %eax
gate_known:
	mov %eax, G_BREAK
	add $4095, %eax
	and $-4096, %eax
	mov %eax, G_BREAK_TOP
gate_go:
	mov $G_EFLAGS, %esp
	popf
	mov G_EBX, %ebx
	mov G_ECX, %ecx
	mov G_EDX, %edx
	mov G_ESI, %esi
	mov G_EDI, %edi
	mov G_EBP, %ebp
	mov G_EAX, %eax
	mov G_ESP, %esp
	jmp *G_EIP
gate_broken:
	hlt

/* the server sends a thread here that it stopped elsewhere, to have its memory read and written */
gate_agent:
	movl $0, G_CALL
	jmp gate_skip
/* a forked child starts here, its registers set, and goes where its parent will return to */
gate_child:
	fxrstor G_FLOATING
	jmp *G_EIP
gate_code_end:
