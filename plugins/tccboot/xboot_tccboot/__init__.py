"""The tccboot backend: a boot loader that compiles its kernel from C source, then boots it."""
