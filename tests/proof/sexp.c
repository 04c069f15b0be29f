/* sexp: texts that begin as is said here, followed by any bytes, up to MORE of them. */
#include "xboot.h"

#include "__fc_builtin.h"

#define MORE 2

static char text[128];
static char *behind;

/* A text in which nothing but its own bytes can be read without an alarm: it ends where `text` ends. */
static void begin(const char *known)
{
    unsigned long size = length(known);
    int more = Frama_C_interval_split(0, MORE);
    char *start = text + sizeof text - size - (unsigned long)more;

    copy(start, known, size);
    if (more)
        Frama_C_make_unknown(start + size, (unsigned long)more);
    read_from(start, size + (unsigned long)more);
    behind = start;
}

#define SIXTY "000000000000000000000000000000000000000000000000000000000000"

int main(void)
{
    unsigned long size;

    switch (Frama_C_interval(0, 17)) {
    case 0:
        begin("");
        return next_is('(');
    case 1:
        begin("( a");
        return next_clause_is("ab");
    case 2:
        begin(" a");
        expect("abc");
        break;
    case 3:
        begin("(ab");
        open_clause("ab");
        break;
    case 4:
        begin(" ");
        expect_end();
        break;
    case 5:
        begin("\"");
        get_bytes(&size);
        break;
    case 6:
        begin("\"\\x0");
        get_string();
        break;
    case 7:
        begin("\"" SIXTY "000");
        get_hash();
        break;
    case 8:
        begin("100000");
        get_number();
        break;
    case 9:
        begin("");
        get_number();
        break;
    case 10:
        begin("\"");
        return read_string(&behind, text + sizeof text, &size) != NULL;
    case 11:
        begin("\"\\");
        return read_string(&behind, text + sizeof text, &size) != NULL;
    case 12:
        begin(SIXTY);
        malformed("anything");
        break;
    case 13:
        begin("");
        return next_clause_is("ab");
    case 14:
        begin("");
        return read_string(&behind, text + sizeof text, &size) != NULL;
    case 15:
        begin("\"" SIXTY "0000");
        get_hash();
        break;
    case 16:
        begin("\"\\x");
        return read_string(&behind, text + sizeof text, &size) != NULL;
    default:
        begin("\"\\x00\\xf");
        return read_string(&behind, text + sizeof text, &size) != NULL;
    }
    return 0;
}
