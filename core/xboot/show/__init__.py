"""Everything that is printed: progress, verdicts, comparisons, measures, reports for machines and for browsers."""
