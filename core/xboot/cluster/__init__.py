"""Boots on the workers of a Dask cluster (docs/cluster.md). Needs the extra `cluster`; nothing else of xboot imports this package until a
user names a cluster.
"""
