"""QEMU as a machine: the one that xboot boots on unless another is named."""
