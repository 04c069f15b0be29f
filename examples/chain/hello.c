#include <stdio.h>

int
main (void)
{
  printf ("Hello from tcc, compiled by tcc, compiled by tcc: %d\n", 6 * 7);
  return 0;
}
