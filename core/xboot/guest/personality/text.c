/* text.c: strings, and words on the console. */

#include "personality.h"

unsigned text_length(const char *s)
{
	unsigned n = 0;

	while (s[n])
		n++;
	return n;
}

int text_same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

void note(const char *text)
{
	machine_put(text, text_length(text));
}

void note_number(unsigned n)
{
	char digits[12];
	unsigned i = 11;

	digits[i] = 0;
	do {
		digits[--i] = '0' + n % 10;
		n /= 10;
	} while (n);
	note(digits + i);
}

void limit_reached(unsigned *once, const char *text)
{
	if (*once)
		return;
	*once = 1;
	note("limit: ");
	note(text);
	note("\n");
}
