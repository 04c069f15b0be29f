/* entries: one entry of a listing of any bytes: at the start of every size of listing, and at every place up to the end of the largest. */
#include EXECUTOR_FILE

#include "__fc_builtin.h"

int main(void)
{
    long got = LISTING, at = 0;

    Frama_C_make_unknown((char *)listing, sizeof listing);
    if (Frama_C_nondet(0, 1))
        got = Frama_C_nondet(0, 1) ? Frama_C_interval_split(DIRENT_NAME - 1, 22) : Frama_C_interval_split(DIRENT_NAME + MAX_NAME, LISTING);
    else
        at = Frama_C_interval_split(LISTING - 24, LISTING - 1);
    return next_name(got, &at) != NULL;
}
