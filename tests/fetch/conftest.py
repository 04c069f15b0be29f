from __future__ import annotations

from collections.abc import Iterator

import pytest
from faulty_server import FaultyServer, faulty_server


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as state:
        yield state
