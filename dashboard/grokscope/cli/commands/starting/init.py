"""``grokscope init``: the lines to add to a training of one's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from grokscope.cli.own_code.search import Found, training_code
from grokscope.cli.own_code.snippets import SNIPPETS, Framework
from grokscope.cli.own_code.starters import starter
from grokscope.cli.terminal import say, shown
from grokscope.schemas import GrokscopeError
from grokscope.schemas.extras import Extra, install_command

_MOST_OTHERS = 5
_HIDDEN = frozenset(
    {"accelerate", "grokscope", "keras", "lightning", "mlflow", "torch", "transformers", "wandb"}
)


class InitError(GrokscopeError):
    """A starter that cannot be written, or a framework that is not there."""


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Your training code: a folder, or one file.")
    ] = Path(),
    *,
    framework: Annotated[
        Framework | None,
        typer.Option(help="Show the lines for this one. Default: what your code uses.", show_default=False),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Write a small script that trains as it stands, with the lines in it. Nothing is replaced.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Find how your code trains, and show the few lines to add and where each belongs.

    Your code is read as text: nothing of it is run or changed.

    Example: grokscope init my_project
    """
    found = [one for one in training_code(folder) if framework in (None, one.spot.framework)]
    chosen = found[0].spot.framework if found else framework or Framework.LOADER
    if write is not None:
        _write(write, chosen)
        return
    if found:
        _say_lines(found[0])
        _say_others(found[1:])
    else:
        what = "training code" if framework is None else f"code with {SNIPPETS[framework].title}"
        say(f"No {what} was found in {shown(str(folder.resolve()))}. For {SNIPPETS[chosen].title}:")
        say("")
        for line in SNIPPETS[chosen].code().splitlines():
            say(line)
    say("")
    say(f"Then: grokscope up   ({install_command(Extra.TORCH, Extra.APP)}, if it is not there)")


def _say_lines(found: Found) -> None:
    snippet, spot, path = SNIPPETS[found.spot.framework], found.spot, shown(str(found.path))
    if spot.is_followed:
        say(f"{path} has {snippet.title}, and uses grokscope already.")
        return
    say(f"{path} has {snippet.title}. Nothing in it has been changed; the lines to add:")
    before = None
    for line, anchor in zip(snippet.added(spot.names), snippet.anchors, strict=True):
        if anchor is not before:
            number = spot.lines.get(anchor)
            say("")
            where = path if number is None else f"{path}:{number or 1}"
            say(f"# {where}, {anchor.value if number != 0 else 'at the top'}")
        say(line)
        before = anchor
    if "step" in snippet.names and "step" not in spot.names:
        say("")
        say("step counts the optimizer's steps and never starts again: over epochs, let it go on.")


def _say_others(others: Sequence[Found]) -> None:
    if not others:
        return
    say("")
    for one in others[:_MOST_OTHERS]:
        kind = one.spot.framework
        say(f"There is {SNIPPETS[kind].title} too, in {shown(str(one.path))}: --framework {kind}")
    if len(others) > _MOST_OTHERS:
        say(f"and {len(others) - _MOST_OTHERS} more")


def _write(path: Path, framework: Framework) -> None:
    if path.stem in _HIDDEN:  # Python looks for modules beside a script first
        raise InitError(f"{str(path)!r} would hide the module {path.stem} from itself; name another file")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starter(framework))
    except FileExistsError:
        raise InitError(f"{str(path)!r} is there already; name a new file after --write") from None
    except OSError as error:
        raise InitError(f"{str(path)!r} cannot be written ({error.strerror}); name another file") from error
    say(f"{path}: {SNIPPETS[framework].title}. Run it: python {path}; then: grokscope up")
