"""A site of evidence: static pages from a repository of attestations (docs/site.md).

folder      what is in the repository, read as a stranger's
evidence    targets: who agrees with whom under a policy; trusted bases; seeds
history     what changed from one making of the site to the next
pages       pages and JSON
feeds       Atom
files       where the pages go: whole or not at all, never over others' files
"""

from xboot.site.evidence import Evidence, gather
from xboot.site.files import write_site
from xboot.site.history import History, read_history
from xboot.site.pages import site_files

__all__ = ["Evidence", "History", "gather", "read_history", "site_files", "write_site"]
