"""How the server is started: on this machine only, quiet, and in our colours."""

from pathlib import Path

STORE_VARIABLE = "GROKSCOPE_STORE"
"""Environment variable through which the store's address reaches the app; never the page's address."""

PARENT_VARIABLE = "GROKSCOPE_PARENT"
"""Environment variable with the id of the process that the server belongs to, and ends with."""

STACKS_VARIABLE = "GROKSCOPE_STACKS"
"""Environment variable with the descriptor of the open file that takes the stacks of all threads when the
server stands still."""

STANDSTILL_VARIABLE = "GROKSCOPE_STANDSTILL_S"
"""Environment variable with the time after which it does, in seconds."""

SERVER = Path(__file__).with_name("server.py")
"""What ``streamlit run`` starts."""

APP = Path(__file__).parents[1] / "app.py"
"""The script that draws a page, run anew at every change."""

THEME = Path(__file__).with_name("theme.toml")

ICON = Path(__file__).with_name("icon.svg")
"""The tab's icon: a file, since Streamlit fetches named ones from another host."""

LOOPBACK = "127.0.0.1"

HOSTS = ("localhost", LOOPBACK)
"""Names under which a browser may ask for the pages; any other is refused (DNS rebinding)."""

_ANY = ("0.0.0.0", "::", "")  # noqa: S104 - recognised, not bound


def server_flags(port: int, *, host: str = LOOPBACK, headless: bool = True) -> list[str]:
    """Return the arguments that follow ``streamlit run``: what to start and its settings.

    Streamlit by itself listens on all interfaces, answers to any host name and reports usage. None of
    that suits a page that shows other people's training runs without a login.

    Args:
        port: TCP port.
        host: Address to listen on; another than loopback shows the runs to whoever reaches it.
        headless: Whether to leave the browser closed.

    >>> server_flags(8501)[1:3]
    ['--server.address=127.0.0.1', '--server.port=8501']
    """
    options: dict[str, str | int | bool] = {
        "server.address": host,
        "server.port": port,
        "server.headless": headless,
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.enableStaticServing": False,
        "server.enableAgentApi": False,
        "server.maxUploadSize": 1,
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": False,
        "browser.serverAddress": HOSTS[0],
        "browser.gatherUsageStats": False,
        # Its own CSV of a table guards no formula; ours, below every table and chart, do.
        "client.disableDataExport": True,
        # Whose pages may hold ours in a frame and steer it: by default the sites of a hoster.
        "client.allowedOrigins": f"http://{HOSTS[0]}:{port}",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "viewer",
        "theme.base": str(THEME),
    }
    names = dict.fromkeys((*HOSTS, host)) if host not in _ANY else HOSTS
    flags = [f"--{name}={_text(value)}" for name, value in options.items()]
    return [str(SERVER), *flags, *(f"--server.allowedHosts={name}" for name in names)]


def _text(value: str | int | bool) -> str:  # noqa: FBT001 - a value, not a switch
    return str(value).lower() if isinstance(value, bool) else str(value)
