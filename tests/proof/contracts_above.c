/* contracts_above.c: what is proved of strings, lists, folders and hashing elsewhere, for proofs about the files that use them. */
#include "xboot.h"

#include "__fc_builtin.h"
#include "__fc_string_axiomatic.h"

/* What is joined is some string that may be written to; what it says matters to no access. */
char joined[] = "a/b", *joined_given = joined;

/*@ requires valid_read_string(a) && valid_read_string(b) && valid_read_string(c);
    assigns \result \from indirect:a, indirect:b, indirect:c, joined_given;
    ensures \result == joined_given;
*/
char *join(const char *a, const char *b, const char *c);

/*@ requires valid_read_string(a) && valid_read_string(b);
    assigns \result \from indirect:a[0 ..], indirect:b[0 ..];
*/
int equal(const char *a, const char *b);

/*@ assigns \result \from c;
    ensures c == 0 ==> \result == 0;
*/
int is_hash_character(char c);

/*@ requires \valid(s);
    assigns *s \from \nothing;
    ensures \initialized(s);
*/
void sha256_init(struct sha256 *s);

/*@ requires \valid(s);
    requires \valid_read((char *)data + (0 .. n - 1));
    requires \initialized((char *)data + (0 .. n - 1));
    assigns *s \from *s, ((char *)data)[0 .. n - 1];
*/
void sha256_update(struct sha256 *s, const void *data, unsigned long n);

/*@ requires \valid(s) && \valid(hex + (0 .. 64));
    assigns *s \from *s;
    assigns hex[0 .. 64] \from *s;
    ensures \initialized(hex + (0 .. 64));
    ensures hex[64] == 0;
*/
void sha256_hex(struct sha256 *s, char hex[65]);

/*@ requires valid_read_string(name);
    assigns \nothing;
*/
void remove_tree(int dir, const char *name);

/*@ requires valid_read_string(path);
    assigns \nothing;
*/
void make_parents(int root, const char *path);

/*@ requires valid_read_string(a) && valid_read_string(b) && valid_read_string(c);
    assigns \nothing;
*/
void say(const char *a, const char *b, const char *c);
