"""GNU Mach with no Hurd server: one task serves Linux's system calls to builders, which are tasks of Mach."""
