"""v86 as a machine of xboot."""
