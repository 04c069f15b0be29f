/* thread.h: attack.h, and threads. thread_clone: a thread on a stack (its end is given) that runs a function and ends with its result. */

#include "attack.h"

int thread_clone(u32 flags, void *stack, int *parent, int *child, int (*run)(int), int argument);

asm(".globl thread_clone\nthread_clone:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tmov 16(%esp), %ebx\n\tmov 20(%esp), %ecx\n\tmov 24(%esp), %edx\n\tmov 28(%esp), %edi\n\txor %esi, %esi\n"
    "\tmov 36(%esp), %eax\n\tmov %eax, -4(%ecx)\n\tmov 32(%esp), %eax\n\tmov %eax, -8(%ecx)\n\tsub $8, %ecx\n\tmov $120, %eax\n\tint $0x80\n\ttest %eax, %eax\n\tje thread_begins\n"
    "\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\nthread_begins:\n\tpop %eax\n\tcall *%eax\n\tmov %eax, %ebx\n\tmov $1, %eax\n\tint $0x80\n\thlt\n");
