#define CHAR_BIT 8
#define INT_MAX __INT_MAX__
#define LONG_MAX __LONG_MAX__
