"""``grokscope figure``: a figure bundle drawn again, in any form and size."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grokscope.cli.terminal import say
from grokscope.schemas import GrokscopeError
from grokscope.schemas.extras import Extra, require
from grokscope.schemas.files.replacing import SHARED, replacing

if TYPE_CHECKING:
    from grokscope.dashboard.exporting.bundle import Bundle
    from grokscope.dashboard.exporting.figure import Kind

_KINDS: "tuple[Kind, ...]" = ("svg", "pdf", "png", "html")
_MOST_BYTES = 256 * 2**20


class FigureCommandError(GrokscopeError):
    """A figure that cannot be read or written as asked."""


def figure(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="A figure bundle (.zip), as the dashboard exports it.")
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to: .svg, .pdf, .png or .html. Default: an SVG with the bundle's name, here.",
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="single (85 mm wide), double (175 mm), slide (16:9), a width in mm such as 120, or "
            "WIDTHxHEIGHT such as 120x80. Default: the size that it was exported in.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
) -> None:
    """Draw the figure of a bundle again: the same, or in another form and size.

    A bundle may come from anyone: it is read within limits, and nothing is loaded that it names.

    Example: grokscope figure figure.zip --output figure.pdf --size single
    """
    require(Extra.APP, "altair", "vl_convert", what="drawing a figure")
    from grokscope.dashboard.exporting.bundle import read_bundle  # noqa: PLC0415 - charts take a second to load
    from grokscope.dashboard.exporting.sizes import size_of  # noqa: PLC0415

    content = _content(bundle)
    to = Path(f"{bundle.stem}.svg") if output is None else output
    ending = to.suffix.lower().removeprefix(".")
    kind: Kind | None = next((kind for kind in _KINDS if ending == kind), None)
    if kind is None:
        raise FigureCommandError(f"a figure ends in .svg, .pdf, .png or .html, got {to.name!r}")
    if to.exists() and not force:
        raise FigureCommandError(f"{str(to)!r} is there already; add --force to replace it")
    asked = None if size is None else size_of(size)
    read = read_bundle(content)
    drawn = read.drawn(kind, size=asked)
    _write(drawn, to)
    say(f"figure: {to}")
    if kind == "svg" and asked is None:
        say(_said(read, is_same=drawn == read.figure), err=True)


def _said(read: "Bundle", *, is_same: bool) -> str:
    if is_same:
        return "It is the figure of the bundle, byte for byte."
    from grokscope.dashboard.exporting.bundle import versions  # noqa: PLC0415

    here = versions()
    others = [
        f"{name} {old}, here {here.get(name)}" for name, old in read.versions.items() if old != here.get(name)
    ]
    why = f": it was drawn by {', '.join(others)}" if others else ": the bundle was changed"
    return f"It differs from the figure in the bundle{why}."


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise FigureCommandError(f"{str(path)!r} cannot be read ({error.strerror}); name a .zip") from error
    return content


def _write(content: bytes, path: Path) -> None:
    try:
        with replacing(path, mode=SHARED) as part:
            part.write_bytes(content)
    except OSError as error:
        raise FigureCommandError(
            f"{str(path)!r} cannot be written ({error.strerror}); name another"
        ) from error
