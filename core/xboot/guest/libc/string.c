/* string.c: strings, numbers and sorting for TCC. */

#include "libc.h"

size_t strlen(const char *s)
{
	const char *p = s;
	while (*p)
		p++;
	return p - s;
}

char *strcpy(char *to, const char *from)
{
	char *t = to;
	while ((*t++ = *from++))
		;
	return to;
}

char *strcat(char *to, const char *from)
{
	strcpy(to + strlen(to), from);
	return to;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return 0;
	}
}

char *strrchr(const char *s, int c)
{
	const char *found = 0;
	for (;; s++) {
		if (*s == (char)c)
			found = s;
		if (!*s)
			return (char *)found;
	}
}

char *strstr(const char *s, const char *part)
{
	size_t n = strlen(part);
	for (; *s || !n; s++)
		if (!strncmp(s, part, n))
			return (char *)s;
	return 0;
}

char *strpbrk(const char *s, const char *set)
{
	for (; *s; s++)
		if (strchr(set, *s))
			return (char *)s;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	while (n && *a && *a == *b)
		a++, b++, n--;
	return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

static int digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 99;
}

unsigned long long strtoull(const char *s, char **end, int base)
{
	unsigned long long value = 0;
	int minus = 0;

	while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
		s++;
	if (*s == '-' || *s == '+')
		minus = *s++ == '-';
	if ((base == 0 || base == 16) && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit(s[2]) < 16) {
		s += 2;
		base = 16;
	}
	if (base == 0)
		base = *s == '0' ? 8 : 10;
	for (; digit(*s) < base; s++)
		value = value * base + digit(*s);
	if (end)
		*end = (char *)s;
	return minus ? -value : value;
}

long long strtoll(const char *s, char **end, int base)
{
	return strtoull(s, end, base);
}

unsigned long strtoul(const char *s, char **end, int base)
{
	return strtoull(s, end, base);
}

long strtol(const char *s, char **end, int base)
{
	return strtoull(s, end, base);
}

int atoi(const char *s)
{
	return strtoull(s, 0, 10);
}

/* Reading every floating constant exactly would need more code than all the rest of this file. Whole numbers up to 2^64, with nothing but zeros behind
   the point, are exact in a long double, and TCC's own sources have no others. Any other constant is a limit, with a name. */
long double strtold(const char *s, char **end)
{
	const char *first, *p = s;
	long double value = 0;
	int digits;

	while (*p == '0')
		p++;
	for (first = p; digit(*p) < 10; p++)
		value = value * 10 + digit(*p);
	digits = p - first;
	if (p == s || digits > 20 || (digits == 20 && strncmp(first, "18446744073709551616", 20) > 0))
		p = "?";
	else if (*p == '.')
		for (p++; *p == '0'; p++)
			;
	if (*p)
		libc_die("limit: floating constants that are not whole numbers cannot be compiled here", s);
	if (end)
		*end = (char *)p;
	return value;
}

double strtod(const char *s, char **end)
{
	return strtold(s, end);
}

float strtof(const char *s, char **end)
{
	return strtold(s, end);
}

double ldexp(double x, int exponent)
{
	libc_die("limit: floating constants in hexadecimal cannot be compiled here", "");
	return x;
}

/* TCC sorts only short lists (debug and unwind tables), so insertion is enough. */
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	unsigned char *b = base, swap;
	size_t i, j, k;

	for (i = 1; i < count; i++)
		for (j = i; j && compare(b + (j - 1) * size, b + j * size) > 0; j--)
			for (k = 0; k < size; k++) {
				swap = b[j * size + k];
				b[j * size + k] = b[(j - 1) * size + k];
				b[(j - 1) * size + k] = swap;
			}
}
