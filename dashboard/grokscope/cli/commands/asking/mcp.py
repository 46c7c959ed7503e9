"""``grokscope mcp``: the same answers for agents, over the Model Context Protocol."""

from typing import Annotated

import typer

from grokscope.answers import StoreReader
from grokscope.cli import options
from grokscope.cli.ports import LOOPBACK, choose_port
from grokscope.cli.terminal import say
from grokscope.dashboard.words.patterns import PATTERN_OF_WORD
from grokscope.schemas import GrokscopeError, store_uri
from grokscope.schemas.addresses import UnknownAddressError, address_of
from grokscope.schemas.extras import Extra, require
from grokscope.schemas.secrets import redacted

_PORT = 8765


class McpError(GrokscopeError):
    """A command that cannot be carried out as given."""


def mcp(
    *,
    store: options.Store = None,
    http: Annotated[
        bool, typer.Option("--http", help="Serve streamable HTTP on 127.0.0.1. Default: stdin and stdout.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="PORT", help=f"Port of --http. Default: {_PORT}."),
    ] = None,
) -> None:
    """Answer questions of agents about the runs of a store: read-only MCP tools, one a question.

    Over stdin and stdout, as agents start their servers; with --http on 127.0.0.1 only. The store is read and
    never written to; one that is locked or away is told, and asked again at the next question.

    Example: grokscope mcp --store sqlite:///mlflow.db
    """
    require(Extra.AGENTS, "mcp", what="the MCP server")
    if port is not None and not http:
        raise McpError(f"--port {port} is of --http, which is not given; add --http or leave --port away")
    uri = store_uri(store)
    try:
        address_of(uri)
    except UnknownAddressError as error:
        raise McpError(f"{error}.") from None
    # It loads the library of the protocol, which other commands do without.
    from grokscope.cli.agents.server import PATH, serve_http, serve_stdio  # noqa: PLC0415

    reader = StoreReader(uri, pattern_words=PATTERN_OF_WORD)
    if not http:
        serve_stdio(reader)
        return
    port = choose_port(_PORT if port is None else port)
    say(f"http://{LOOPBACK}:{port}{PATH} answers from {redacted(uri)}; Ctrl-C ends it", err=True)
    serve_http(reader, port=port)
