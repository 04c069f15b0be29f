"""`python -m bench`: all benchmarks, one after the other."""

from __future__ import annotations

from bench import kernels, loader, parse, scheme, start

parse.main([])
start.main([])
loader.main([])
kernels.main(["--chain"])
scheme.main(["--chain"])
