"""Agreement between kernels as evidence, and how many machines may run at once for it."""

from xboot.compare.agreement import Agreement, Comparison, OutputComparison, choose_backends, compare, export_difference
from xboot.compare.budget import MemoryBudget, cores, free_memory

__all__ = [
    "Agreement",
    "Comparison",
    "MemoryBudget",
    "OutputComparison",
    "choose_backends",
    "compare",
    "cores",
    "export_difference",
    "free_memory",
]
