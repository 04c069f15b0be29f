/* sha256: any bytes, in two pieces of these lengths: every way through an update and through the padding. */
#include "xboot.h"

#include "__fc_builtin.h"

static u8 data[130];
static const u8 first[] = {0, 56}, second[] = {0, 72};

int main(void)
{
    struct sha256 s;
    char hex[65];
    int i = Frama_C_interval_split(0, sizeof first - 1), j = Frama_C_interval_split(0, sizeof second - 1);

    Frama_C_make_unknown((char *)data, sizeof data);
    sha256_init(&s);
    sha256_update(&s, data, first[i]);
    sha256_update(&s, data + sizeof data - second[j], second[j]); /* up to the last byte that there is */
    sha256_hex(&s, hex);
    return hex[64];
}
