/* contracts.c: what is proved of strings elsewhere (`strings`), so that Eva may take its own model of it: less to follow, more precise. */
#include "xboot.h"

#include "__fc_builtin.h"
#include "__fc_string_axiomatic.h"

/*@ assigns ((char *)to)[0 .. n - 1] \from ((char *)from)[0 .. n - 1]; */
void copy(void *to, const void *from, unsigned long n);

/*@ assigns ((char *)to)[0 .. n - 1] \from byte; */
void fill(void *to, int byte, unsigned long n);

char digits[] = "18446744073709551615", *digits_given = digits;

/*@ assigns \result \from indirect:value, digits_given;
    ensures \result == digits_given;
*/
char *decimal(u64 value);

/*@ requires valid_read_string(kind) && valid_read_string(why) && valid_read_string(name);
    assigns \nothing;
    ensures \false;
*/
void fail(const char *kind, const char *why, const char *name);

/*@ requires \valid_read((char *)data + (0 .. n - 1));
    requires \initialized((char *)data + (0 .. n - 1));
    assigns \result \from indirect:fd, indirect:((char *)data)[0 .. n - 1], indirect:Frama_C_entropy_source;
    ensures -4095 <= \result <= 0;
*/
long write_all(int fd, const void *data, unsigned long n);

/*@ assigns \result \from s[0 ..]; */
unsigned long length(const char *s);
