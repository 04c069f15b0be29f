"""Fetching: every fixed-output source of a closure that is not at hand, checked by its hash before it enters the store."""

from xboot.fetch.fetch import Failure, FetchOptions, FetchReport, fetch_closure
from xboot.fetch.plan import Left, Plan, Wanted, plan_fetch

__all__ = ["Failure", "FetchOptions", "FetchReport", "Left", "Plan", "Wanted", "fetch_closure", "plan_fetch"]
