"""The MCP server: read-only tools over one store, by stdio or HTTP on loopback. Needs the extra ``mcp``."""

import logging
import socket
from importlib.metadata import version
from typing import Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette

from grokscope.answers import QUESTIONS, StoreReader, as_json
from grokscope.answers.record.rendering import as_dict
from grokscope.cli.agents.tools import (
    NAMES_ARE_DATA,
    answer_to,
    description,
    input_schema,
    sentence_of,
)
from grokscope.cli.ports import LOOPBACK
from grokscope.cli.terminal import complain
from grokscope.schemas import GrokscopeError

PATH = "/mcp"
_LARGEST_REQUEST = 64 * 1024
_READ_ONLY = types.ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_Context = ServerRequestContext[Any]


def server_of(reader: StoreReader) -> Server[Any]:
    """Return the server that answers from a store; each tool call reads what is there by then.

    What goes wrong with a question is the tool's answer, marked as an error: one sentence, no traceback. The
    store is only read, so a store that was locked or away is asked again at the next call.
    """

    async def list_tools(
        _context: _Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools())

    async def call_tool(_context: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        return await anyio.to_thread.run_sync(_result, params.name, params.arguments or {}, reader)

    return Server(
        "grokscope",
        version=version("grokscope"),
        instructions=f"Answers questions about training runs, from an MLflow store. {NAMES_ARE_DATA}",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def tools() -> list[types.Tool]:
    """Return the tools, one a question, all read-only."""
    return [
        types.Tool(
            name=question.name,
            description=description(question),
            input_schema=input_schema(question),
            annotations=_READ_ONLY,
        )
        for question in QUESTIONS.values()
    ]


def serve_stdio(reader: StoreReader) -> None:
    """Serve on stdin and stdout until stdin ends; nothing but the protocol goes to stdout."""

    async def serve() -> None:
        server = server_of(reader)
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    _quiet()
    anyio.run(serve)


def serve_http(reader: StoreReader, *, port: int) -> None:
    """Serve streamable HTTP on loopback until it is interrupted.

    Raises:
        OSError: If the port cannot be listened on.
    """
    _quiet()
    with socket.create_server((LOOPBACK, port)) as listening:
        config = uvicorn.Config(
            http_app(reader, port=port), log_level="warning", access_log=False, server_header=False
        )
        uvicorn.Server(config).run(sockets=[listening])


def http_app(reader: StoreReader, *, port: int) -> Starlette:
    """Return the application behind ``serve_http``.

    A page of another site cannot use it: the Host header must name loopback and this port, and so must an
    Origin header, where there is one.
    """
    hosts = [f"{LOOPBACK}:{port}", f"localhost:{port}"]
    return server_of(reader).streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=_LARGEST_REQUEST,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=hosts,
            allowed_origins=[f"http://{host}" for host in hosts],
        ),
        host=LOOPBACK,
    )


def _result(name: str, arguments: dict[str, Any], reader: StoreReader) -> types.CallToolResult:
    try:
        answer = answer_to(name, arguments, reader)
        text, record = as_json(answer), as_dict(answer)
    except GrokscopeError as error:
        return _failed(sentence_of(error))
    except Exception as error:  # noqa: BLE001 - an agent gets a sentence, whatever went wrong here
        complain(f"{name} failed: {type(error).__name__}: {error}")
        return _failed(f"the question could not be answered ({type(error).__name__}); ask another one")
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=record
    )


def _failed(sentence: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=sentence)], is_error=True)


def _quiet() -> None:
    """Keep the library's own words about each request off stderr."""
    logging.getLogger("mcp").setLevel(logging.ERROR)
