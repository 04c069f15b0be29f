/* What OCaml's configure would find out about the system: there is none. */
#define OCAML_OS_TYPE "Unix"
#define HAS_STDINT_H 1
#define HAS_FFS 1
#define HAS_STRERROR 1
