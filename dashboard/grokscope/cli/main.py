"""``grokscope``: the commands, and the one place where an error becomes a sentence and an exit status."""

import logging
import re
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from grokscope.cli.commands.asking.ask import ask
from grokscope.cli.commands.asking.digest import digest
from grokscope.cli.commands.asking.mcp import mcp
from grokscope.cli.commands.backfill import backfill
from grokscope.cli.commands.compare import compare
from grokscope.cli.commands.detect import detect
from grokscope.cli.commands.doctor import doctor
from grokscope.cli.commands.experiments import experiments
from grokscope.cli.commands.export import export
from grokscope.cli.commands.figure import figure
from grokscope.cli.commands.importing import import_
from grokscope.cli.commands.starting.demo import demo
from grokscope.cli.commands.starting.init import init
from grokscope.cli.commands.sweep import sweep
from grokscope.cli.commands.sync import sync
from grokscope.cli.commands.up import up
from grokscope.cli.commands.watch import watch
from grokscope.cli.terminal import complain, say
from grokscope.schemas import GrokscopeError

app = typer.Typer(
    name="grokscope",
    help="Watch training runs, compare them, and have their transitions found and dated: "
    "memorization, grokking onset, collapse, phase changes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(demo)
app.command()(init)
app.command()(experiments)
app.command()(sweep)
app.command()(up)
app.command()(detect)
app.command()(compare)
app.command()(watch)
app.command()(ask)
app.command()(digest)
app.command()(mcp)
app.command()(sync)
app.command("import")(import_)
app.command()(export)
app.command()(figure)
app.command()(doctor)
app.command()(backfill)


def _epilog() -> str:
    """Return what stands under the list of commands: the way in, and each command's own example."""
    said = [command.callback.__doc__ or "" for command in app.registered_commands if command.callback]
    examples = [example for doc in said for example in re.findall(r"^ *Example: (.+)$", doc, re.MULTILINE)]
    way_in = "New here? Run 'grokscope demo': it trains twelve small networks and shows them live."
    return "\n".join([way_in, "", "\b", "Examples:", *(f"  {example}" for example in examples)])


app.info.epilog = _epilog()


def _version(value: bool) -> None:
    if value:
        say(f"grokscope {version('grokscope')}")
        raise typer.Exit


@app.callback()
def _options(  # pyright: ignore[reportUnusedFunction] - typer calls it
    _show: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Hold the options of the command itself."""


def run() -> None:
    """Run the command; bad input ends with one sentence on stderr and status 2."""
    # What it says of an error of the database, a page long, is raised as well and becomes the sentence.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    try:
        app()
    except GrokscopeError as error:
        complain(str(error))
        sys.exit(2)
    except OSError as error:  # a full disk or a closed pipe under what is printed
        complain(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        say("", err=True)
        complain("stopped")
        sys.exit(130)


if __name__ == "__main__":
    run()
