"""What authors of plugins test with: a backend without a kernel, whose machine says what a test tells it to say."""

from xboot.testing.fake import FakeBackend, Say, good_run

__all__ = ["FakeBackend", "Say", "good_run"]
