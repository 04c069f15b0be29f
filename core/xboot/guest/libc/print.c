/* print.c: the formats that TCC uses in messages and names: %s %c %d %i %u %x %X %p %%, with 0, -, width, precision, *, l, ll. */

#include "libc.h"

struct target {
	char *to;
	size_t room, length;
	FILE *stream;
};

static void emit(struct target *t, char c)
{
	if (t->stream)
		fputc(c, t->stream);
	else if (t->length + 1 < t->room)
		t->to[t->length] = c;
	t->length++;
}

static void field(struct target *t, const char *text, int length, int width, int left, char pad)
{
	int i;

	if (!left)
		for (i = length; i < width; i++)
			emit(t, pad);
	for (i = 0; i < length; i++)
		emit(t, text[i]);
	if (left)
		for (i = length; i < width; i++)
			emit(t, ' ');
}

static void format_into(struct target *t, const char *f, va_list list)
{
	char digits[24], *d;
	const char *s;
	unsigned long long value;
	int left, width, precision, longs, minus, base, n;
	char pad, c;

	for (; *f; f++) {
		if (*f != '%') {
			emit(t, *f);
			continue;
		}
		left = 0;
		pad = ' ';
		for (f++; *f == '-' || *f == '0' || *f == '#' || *f == '+'; f++) {
			if (*f == '-')
				left = 1;
			if (*f == '0')
				pad = '0';
		}
		width = 0;
		if (*f == '*') {
			width = va_arg(list, int);
			f++;
		}
		for (; *f >= '0' && *f <= '9'; f++)
			width = width * 10 + *f - '0';
		precision = -1;
		if (*f == '.') {
			precision = 0;
			f++;
			if (*f == '*') {
				precision = va_arg(list, int);
				f++;
			}
			for (; *f >= '0' && *f <= '9'; f++)
				precision = precision * 10 + *f - '0';
		}
		for (longs = 0; *f == 'l'; f++)
			longs++;
		c = *f;
		if (c == 's') {
			s = va_arg(list, const char *);
			if (!s)
				s = "(null)";
			for (n = 0; s[n] && n != precision; n++)
				;
			field(t, s, n, width, left, ' ');
		} else if (c == 'c') {
			c = va_arg(list, int);
			field(t, &c, 1, width, left, ' ');
		} else if (c == 'd' || c == 'i' || c == 'u' || c == 'x' || c == 'X' || c == 'p') {
			if (longs > 1)
				value = va_arg(list, unsigned long long);
			else if (c == 'd' || c == 'i')
				value = va_arg(list, int);
			else
				value = va_arg(list, unsigned);
			minus = (c == 'd' || c == 'i') && (long long)value < 0;
			if (minus)
				value = -value;
			base = c == 'x' || c == 'X' || c == 'p' ? 16 : 10;
			d = digits + sizeof digits;
			do {
				*--d = (c == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[value % base];
				value /= base;
			} while (value);
			while (digits + sizeof digits - d < precision && d > digits + 1)
				*--d = '0';
			if (minus)
				*--d = '-';
			field(t, d, digits + sizeof digits - d, width, left, pad);
		} else if (c == '%') {
			emit(t, '%');
		} else {
			libc_die("printf lacks a format", f);
		}
	}
}

int vsnprintf(char *to, size_t room, const char *format, va_list list)
{
	struct target t;

	t.to = to;
	t.room = room;
	t.length = 0;
	t.stream = 0;
	format_into(&t, format, list);
	if (room)
		to[t.length < room ? t.length : room - 1] = 0;
	return t.length;
}

int vfprintf(FILE *stream, const char *format, va_list list)
{
	struct target t;

	t.stream = stream;
	t.length = 0;
	format_into(&t, format, list);
	return t.length;
}

int snprintf(char *to, size_t room, const char *format, ...)
{
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(to, room, format, list);
	va_end(list);
	return n;
}

int sprintf(char *to, const char *format, ...)
{
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(to, 0x7fffffff, format, list);
	va_end(list);
	return n;
}

int fprintf(FILE *stream, const char *format, ...)
{
	va_list list;
	int n;

	va_start(list, format);
	n = vfprintf(stream, format, list);
	va_end(list);
	return n;
}

int printf(const char *format, ...)
{
	va_list list;
	int n;

	va_start(list, format);
	n = vfprintf(stdout, format, list);
	va_end(list);
	return n;
}

/* TCC reads only its own version this way: "%d.%d.%d". */
int sscanf(const char *text, const char *format, ...)
{
	va_list list;
	char *end;
	int count = 0;

	va_start(list, format);
	for (; *format; format++) {
		if (format[0] == '%' && format[1] == 'd') {
			*va_arg(list, int *) = strtol(text, &end, 10);
			if (end == text)
				break;
			text = end;
			count++;
			format++;
		} else if (*text++ != *format) {
			break;
		}
	}
	va_end(list);
	return count;
}
