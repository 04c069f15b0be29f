/* strings: any strings of up to 3 bytes, any number of 64 bits. */
#include "xboot.h"

#include "__fc_builtin.h"

void *memmove(void *, const void *, unsigned long);
void *memcpy(void *, const void *, unsigned long);
void *memset(void *, int, unsigned long);

static char a[4], b[4];
static long from[3], to[3];

int main(void)
{
    u64 n;

    Frama_C_make_unknown(a, sizeof a - 1);
    Frama_C_make_unknown(b, sizeof b - 1);
    switch (Frama_C_interval(0, 3)) {
    case 0:
        return (int)length(join(a, b, "x"));
    case 1:
        return starts_with(a, b) + equal(a, b) + compare(b, a);
    case 2:
        Frama_C_make_unknown((char *)&n, sizeof n);
        return (int)length(decimal(n));
    default:
        memmove(a + 1, a, 3);
        memmove(b, b + 1, 2);
        memcpy(to, from, sizeof to);
        memset(a, 1, sizeof a);
    }
    return 0;
}
