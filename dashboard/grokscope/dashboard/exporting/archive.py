"""The ZIP file of a figure bundle: written with the same bytes for the same content, read within limits."""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence

from grokscope.schemas import GrokscopeError

CHART, SETTINGS, README, FIGURE = "spec.json", "settings.json", "README.txt", "figure.svg"
IS_DRAWN = re.compile(r"data/(drawn-\d{1,3})\.parquet")
_IS_FRAME = re.compile(r"frames/[a-z0-9-]{1,80}\.parquet")
_THEN = (1980, 1, 1, 0, 0, 0)

MOST_BYTES = 256 * 2**20
"""Of a bundle, and of what is in it."""
_MOST_TEXT = 8 * 2**20
_MOST_ENTRIES = 200


class BundleError(GrokscopeError):
    """A file that is no figure bundle, or one that is not opened."""


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a ZIP file of these files, by name: no time, no owner and no order but that of names is in it.

    >>> zipped({"b": b"1", "a": b"2"}) == zipped({"a": b"2", "b": b"1"})
    True
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=_THEN)
            entry.compress_type, entry.external_attr, entry.create_system = (
                zipfile.ZIP_DEFLATED,
                0o644 << 16,
                3,
            )
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def unzipped(content: bytes) -> dict[str, bytes]:
    """Return the files of a bundle that a figure is drawn from.

    Raises:
        BundleError: If it is damaged, is none, unpacks to too much, or has a file that no bundle has.
    """
    if len(content) > MOST_BYTES:
        raise BundleError(f"a figure bundle has at most {MOST_BYTES // 2**20} MB, this one has more")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            wanted = [one for one in entries if not one.filename.startswith("frames/")]
            return {one.filename: _content(archive, one) for one in wanted}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BundleError("this is no figure bundle, or it is damaged; export the figure again") from error
    except (OSError, ValueError, zlib.error) as error:
        raise BundleError("this figure bundle is damaged; export the figure again") from error


def _check_entries(entries: Sequence[zipfile.ZipInfo]) -> None:
    names = [one.filename for one in entries]
    if len(names) > _MOST_ENTRIES or len(set(names)) < len(names):
        raise BundleError(f"a figure bundle has at most {_MOST_ENTRIES} files, each once; this one has not")
    for name in names:
        known = name in (CHART, SETTINGS, README, FIGURE) or IS_DRAWN.fullmatch(name)
        if not known and not _IS_FRAME.fullmatch(name):
            raise BundleError(f"a figure bundle holds no file {name[:80]!r}; it is not opened")
    if sum(one.file_size for one in entries) > MOST_BYTES:
        raise BundleError(
            f"this figure bundle unpacks to more than {MOST_BYTES // 2**20} MB; it is not opened"
        )


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    most = MOST_BYTES if entry.filename.endswith((".parquet", ".svg")) else _MOST_TEXT
    with archive.open(entry) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise BundleError(f"{entry.filename} in this figure bundle is larger than {most // 2**20} MB")
    return content
