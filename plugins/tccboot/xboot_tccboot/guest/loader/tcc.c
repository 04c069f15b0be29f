/* tcc.c: TCC as a library, in one piece, with the loader's entry to its line count. The sources are Debian's, unchanged. */

#define ONE_SOURCE 1
#include "libtcc.c"

unsigned tcc_lines(TCCState *s1)
{
	return total_lines;
}
