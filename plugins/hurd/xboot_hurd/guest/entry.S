/* entry.S: the server's first instruction and Mach's traps. */

	.text
	.globl _start
_start:                             /* the stack holds argc, argv[0], argv[1], ... 0 */
	mov %esp, %eax
	xor %ebp, %ebp
	push %eax
	call server_main
	hlt

#define TRAP(name, number) .globl name; name: mov $number, %eax; lcall $7, $0; ret

TRAP(mach_msg, -25)
TRAP(mach_reply_port, -26)
TRAP(mach_task_self, -28)
TRAP(vm_allocate, -65)
TRAP(vm_deallocate, -66)
TRAP(task_create, -68)
TRAP(task_terminate, -69)
TRAP(task_set_special_port, -71)
TRAP(mach_port_deallocate, -73)
TRAP(mach_port_insert_right, -74)
