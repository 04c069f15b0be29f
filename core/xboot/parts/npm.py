"""Files of a locked package of npm. Nothing of the package is run."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from xboot.cache import Cache
from xboot.errors import InputError
from xboot.parts.lock import Part
from xboot.parts.obtaining import obtain_part

__all__ = ["npm_files"]


def npm_files(part: Part, names: Sequence[str], cache: Cache) -> list[Path]:
    """These files of the package (`build/x.wasm`), in a folder of the cache, each under its last name. Raises MissingToolError when the
    part is not to be had, InputError when it has not got them.
    """
    archive = obtain_part(part, cache)

    def make(work: Path) -> None:
        try:
            with tarfile.open(archive, "r:gz") as tar:
                for name in names:
                    source = tar.extractfile(f"package/{name}")
                    if source is None:
                        raise KeyError(name)
                    with (work / Path(name).name).open("wb") as target:
                        shutil.copyfileobj(source, target)
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, KeyError) as error:
            raise InputError(f"{archive.name}: damaged, or not the package with {' and '.join(names)}: {error}") from None

    folder = cache.folder("npm", {"sha256": part.sha256, "files": " ".join(names)}, make)
    return [folder / Path(name).name for name in names]
