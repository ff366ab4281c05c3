"""`written_whole`: a new file takes the place of an old one only once it is whole."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Yield where to write a file; on failure the old file stays, and nothing else is left.

    What is no plain file, as ``/dev/stdout``, is written as it stands, as nothing can take its
    place.

    Parameters
    ----------
    path : str or path
        Where the file is to be; a link is followed.
    """
    path = Path(path).resolve()
    if path.exists() and not path.is_file():
        yield path
        return
    temporary = path.with_name(path.name + ".tmp")
    try:
        yield temporary
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
