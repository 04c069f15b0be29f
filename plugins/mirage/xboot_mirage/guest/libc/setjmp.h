/* absent.c: nobody jumps. */
#ifndef SETJMP_H
#define SETJMP_H
typedef long jmp_buf[1];
int setjmp(jmp_buf at);
#endif
