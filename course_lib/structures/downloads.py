"""A file from its publisher: fetched once, whole or not at all.

`pooch` compares checksums and moves a file into place only when it is right. What it lacks is patience: a transfer that
breaks off would start anew. `Resuming` keeps what has come in `<file>.part` and asks for the rest (HTTP Range, RFC 9110).
"""

import os
from pathlib import Path

import pooch
import requests
from tqdm.auto import tqdm

TIMEOUT = 10, 60  # seconds to connect, and between two pieces


def fetch(path: Path, url: str, checksum: str | None = None, size: int | None = None) -> Path:
    """`path`, downloaded from `url` unless it is there.

    checksum: "md5:…" or "sha256:…"; size: bytes; None where the publisher states none: then the log says the SHA-256
    Raises ValueError for content that is not the published one (a download is deleted, a file that was there is left) and
    OSError, of which those of requests are, when it cannot be fetched.
    """
    if not path.exists():
        pooch.retrieve(url, checksum, path.name, path.parent, downloader=Resuming(path.with_name(f"{path.name}.part"), size))
    elif size not in (None, path.stat().st_size) or not pooch.hashes.hash_matches(path, checksum):
        raise ValueError(f"{path} is damaged or another version: it has {path.stat().st_size} bytes, "
                         f"sha256:{pooch.file_hash(path)}, the published one {size} bytes and {checksum}; delete it.")
    return path


class Resuming:
    """A downloader for pooch that goes on where it stopped, as long as something comes."""

    def __init__(self, part: Path, size: int | None) -> None:
        self.part, self.size = part, size

    def __call__(self, url: str, output_file: str, pooch: None) -> None:
        before = -1
        while (have := self._have()) > before:
            before = have
            try:
                self._append(url, have)
                break
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                reason = error
        else:
            raise reason
        if self.size not in (None, self._have()):
            found = self._have()
            self.part.unlink()
            raise ValueError(f"{url} sent {found} bytes, {self.size} are published; what came is deleted, call again.")
        os.replace(self.part, output_file)

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _append(self, url: str, have: int) -> None:
        # packed on the way, the bytes of a range would not be those of the file
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            rest = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            if answer.status_code == 416:  # nothing follows what we have: it was whole, or is of another version
                self.part.unlink()
            if answer.status_code != 200 and not rest:
                raise requests.HTTPError(f"it answered {answer.status_code} {answer.reason}")
            length = answer.headers.get("Content-Length")
            with (self.part.open("ab" if rest else "wb") as file,  # who knows no ranges sends all of it again
                  tqdm(desc=self.part.stem, initial=have * rest, total=length and int(length) + have * rest, unit="B",
                       unit_scale=True) as bar):
                for piece in answer.iter_content(2**16):
                    file.write(piece)
                    bar.update(len(piece))
