/* Wins: the kernel goes round for ever in a call that has been answered: no process runs any more, not even the executor
   Verdict: ok
   Timeout: 120

   Calls whose answer is a number that the program chose before: a personality, a handler, the seconds of an alarm, the sum of vectors. Every number is tried that
   a kernel in C or OCaml may use among its own as "not yet" or "answered already". */

#include "attack.h"

#define SIGNAL 48
#define PERSONALITY 136

static const int numbers[] = { -10001, -10002, -512, -513, -514, -516, -1000, -1001, -4096, -1 };
static int number;

static int by_personality(void)
{
	sys(PERSONALITY, number);
	sys(PERSONALITY, number);
	return 0;
}

static int by_handler(void)
{
	sys(SIGNAL, 10, number);
	sys(SIGNAL, 10, number);
	return 0;
}

static int by_alarm(void)
{
	sys(ALARM, number);
	sys(ALARM, number);
	return 0;
}

static int by_vectors(void)
{
	static char byte;
	u32 vector[4];
	int n;

	vector[0] = vector[2] = (u32)&byte;
	vector[1] = 0x7ffff000;
	vector[3] = (u32)number - vector[1];
	n = sys(WRITEV, sys(OPEN, "/dev/null", 1), vector, 2);
	return n < 0 && !FAILED(n); /* more than any call may say that it has written */
}

int attack(char **arguments, char **environment)
{
	u32 i;

	for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		number = numbers[i];
		must(!in_child(by_personality), "an answer that was chosen ends a process");
		must(!in_child(by_handler), "a handler that was chosen ends a process");
		must(!in_child(by_alarm), "an alarm that was chosen ends a process");
		must(!in_child(by_vectors), "vectors are counted beyond the largest number");
	}
	return 0;
}
