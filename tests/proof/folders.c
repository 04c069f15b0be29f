/* folders: folders that list up to LISTED names before they are at an end, in parts of up to LISTING, removed at every depth.
 *
 * What `entries` proves of next_name stands here as its contract, so a listing is as many bytes as it has entries.
 */
#include "linux.h"

static char some_name[3], *name_given = some_name;

/*@ assigns \result \from indirect:got, indirect:*at, name_given;
    assigns *at \from got, *at;
    ensures \result == \null || \result == &some_name[0];
    ensures *at == \old(*at) + 1;
*/
static char *next_name(long got, long *at);

/*@ assigns \nothing; */
static void sort(char **v, unsigned n);

#include EXECUTOR_FILE

static void any_name(void)
{
    some_name[0] = (char)Frama_C_interval(1, 127);
    some_name[1] = (char)Frama_C_interval(1, 127);
}

int main(void)
{
    any_name();
    switch (Frama_C_interval_split(0, 3)) {
    case 0:
        left_to_list = 4;
        read_directory(3);
        break;
    case 1:
        left_to_list = 3;
        trash_number = (unsigned)Frama_C_interval(0, 0x7fffffff) * 2;
        remove_tree(3, "tree");
        break;
    case 2:
        write_all(1, some_name, 2);
        say("a", "b", "c");
        break;
    default:
        make_parents(3, Frama_C_nondet(0, 1) ? "a/bc/d" : "a");
    }
    return 0;
}
