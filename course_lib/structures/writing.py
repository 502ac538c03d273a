"""A file that is whole at every moment: written beside its place, moved there when it is complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A new file, which takes the place of `path` when the block ends well; if not, what was there stays and no part is left.

    Raises OSError, with the path and the cure, where it cannot be written.
    """
    path = Path(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):  # whatever is wrong with the folder has been said
            partial.unlink()


ELSEWHERE = "give a path in a folder that is there and where you may write"


def unwritable(path: str | os.PathLike, error: OSError, cure: str = ELSEWHERE) -> OSError:
    """The same error, in words; one without a number is pooch's of a folder that is not the reader's."""
    return OSError(error.errno or EACCES, f"{path} cannot be written ({error.strerror or error}); what was there before is as "
                                          f"it was. Make room on that disk, or {cure}")
