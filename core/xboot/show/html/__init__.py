"""What a browser shows, each in one file: no network, and everything that a guest said is text. Reports have no script either."""

from xboot.show.html.chart import tcb_chart
from xboot.show.html.pages import comparison_page, tcb_page
from xboot.show.html.web import Engine, web_page

__all__ = ["Engine", "comparison_page", "tcb_chart", "tcb_page", "web_page"]
