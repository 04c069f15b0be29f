"""A real PC at the other end of a serial line, as a machine of xboot."""
