"""`python -m bench`: all benchmarks, one after the other."""

from __future__ import annotations

from bench import kernels, parse, start

parse.main([])
start.main([])
kernels.main(["--chain"])
