/* lists: up to five strings, each of up to 2 bytes, gathered in a growing array and sorted. */
#include EXECUTOR_FILE

#include "__fc_builtin.h"

static char text[5][3];

int main(void)
{
    unsigned n = (unsigned)Frama_C_interval_split(0, 5), i;
    char **v = NULL;

    Frama_C_make_unknown(text[0], sizeof text);
    for (i = 0; i < 5; i++)
        text[i][2] = 0;
    for (i = 0; i < n; i++) {
        GROW(v, i);
        v[i] = text[i];
    }
    sort(v, n);
    return 0;
}
