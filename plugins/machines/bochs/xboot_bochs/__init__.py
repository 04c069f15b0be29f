"""Bochs as a machine of xboot."""
