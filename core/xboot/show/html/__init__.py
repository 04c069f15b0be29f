"""Reports that a browser shows, each in one file: no script, no network, and everything that a guest said is text."""

from xboot.show.html.chart import tcb_chart
from xboot.show.html.pages import comparison_page, tcb_page

__all__ = ["comparison_page", "tcb_chart", "tcb_page"]
