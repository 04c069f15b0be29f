"""xboot: boot a derivation's build graph on very small kernels and verify every hash."""

__version__ = "0.1.0"
