"""The extras of the distribution: what each is for, and the one sentence of everything that lacks one."""

from enum import StrEnum
from importlib.util import find_spec

from grokscope.schemas.errors import GrokscopeError


class Extra(StrEnum):
    """An extra by its name in ``pyproject.toml``; ``all`` there is all of them."""

    TORCH = "torch"
    """Training, and measuring a model."""
    APP = "app"
    """The dashboard, figures, and databases."""
    IMPORTERS = "importers"
    """Reading the files of other tools that are not plain text."""
    AGENTS = "agents"
    """Answers over the Model Context Protocol."""
    RAY = "ray"
    """Work on a cluster."""


class MissingExtraError(GrokscopeError):
    """A part of grokscope that is not installed here."""


def install_command(*extras: Extra) -> str:
    """Return what to type for some extras, beside the grokscope that is installed.

    >>> install_command(Extra.TORCH, Extra.APP)
    "pip install 'grokscope[torch,app]'"
    """
    return f"pip install 'grokscope[{','.join(extras)}]'"


def missing(what: str, module: str, extra: Extra) -> str:
    """Return the sentence for something that cannot be done here, without its full stop.

    Args:
        what: What cannot be done, such as ``the dashboard``.
        module: What it needs and is not there.
        extra: The extra that brings it.

    >>> missing("the dashboard", "streamlit", Extra.APP)
    "the dashboard needs streamlit, which is not installed; run: pip install 'grokscope[app]'"
    """
    return f"{what} needs {module}, which is not installed; run: {install_command(extra)}"


def require(extra: Extra, *modules: str, what: str) -> None:
    """Check that what an extra brings is there; nothing is imported.

    Args:
        extra: The extra.
        modules: What is needed of it, by the names that are imported.
        what: What needs it, for the sentence.

    Raises:
        MissingExtraError: If one of them is not.

    >>> require(Extra.APP, "json", what="a text")
    """
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError(missing(what, module, extra))
