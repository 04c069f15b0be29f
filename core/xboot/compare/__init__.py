"""Agreement between kernels as evidence, and how many machines may run at once for it."""

from xboot._callable import callable_package
from xboot.budget import MemoryBudget, cores, free_memory
from xboot.compare.agreement import Agreement, Comparison, OutputComparison, choose_voters, compare, export_difference, log_file

__all__ = [
    "Agreement",
    "Comparison",
    "MemoryBudget",
    "OutputComparison",
    "choose_voters",
    "compare",
    "cores",
    "export_difference",
    "free_memory",
    "log_file",
]

callable_package(__name__)
