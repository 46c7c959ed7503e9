"""What is withheld, and how: one rule for both sides, for settings, addresses and every text that is shown.

``is_secret`` judges a name and its value; ``redacted`` cuts secrets out of a text, an address or an error.
Where it is not plain whether something is a secret, it is taken for one.
"""

import re
from typing import cast
from urllib.parse import unquote_plus

WITHHELD = "[withheld]"
"""What stands in a secret's place."""

_LONGEST = 100_000
_BROKEN = re.compile(r"\S{1,500}\Z")

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
# Whatever stands beside them, and whether the value is a number or a text.
_ALWAYS = re.compile(
    "passw|passphrase|passcode|credential|authorization|(api|access|private|secret|auth)_?key"
    "|(?<![a-z])(pwd|pswd)(?![a-z])"
)
# Text only: a sparse parity has a secret of three positions.
_SECRETS = re.compile(
    "(?<![a-z])(my|user|app|client)?secrets?(?![a-z])|(?<![a-z])(bearer|cookies?|jwt|oauth|webhook)(?![a-z])"
    "|(?<![a-z])auth$|(?<![a-z])(db|sql|pg|user|root|my|admin|smtp|mail)?_?(pass|pw)$"
    "|(?<![a-z])creds?(?![a-z])|priv_?key|(?<![a-z])(gh|github|gitlab|azure)_pat$|auth_header$|token_value$"
)
_PASSES = re.compile(
    "(?<![a-z])(forward|backward|single|first|second|one|two|multi|per|band|low|high|by|all|n|render)_pass$"
)
_DOOR = re.compile("(?:([^_]*)_)?([^_]*?)(token|key)(s?)$")
_LONGEST_NAME = 200
# What such a token or key opens. After another word it is a secret only if it looks like none of a model's.
_OPENS = re.compile(
    "api|auth|access|private|secret|ssh|hub|hf|wandb|openai|anthropic|gemini|groq|mistral|cohere|"
    "replicate|huggingface|github|gitlab|slack|discord|telegram|aws|azure|gcp|google|comet|neptune|"
    "clearml|mlflow|databricks|snowflake|kaggle|sentry|stripe|deploy|deployment|encryption|signing|"
    "master|account|storage|service|session|bearer|refresh|personal|oauth|id|csrf|jwt|pypi|npm|"
    "docker|registry|webhook|bot|user|admin|root|license|subscription|consumer|client|host|ssl|tls|"
    "rsa|pgp|gpg"
)
# Words as they name columns, layers and modes, and a tokenizer's special ones.
_PLAIN = re.compile(
    r"(?:[A-Z]?[a-z]+\d{0,2}|\d{1,3})(?:[_./ -](?:[A-Z]?[a-z]+\d{0,2}|\d{1,3}))*|[<\[].*[>\]]|[^\w\s]{0,3}"
)
_NUMBERS = re.compile(r"[\[(]?[\d\s,.eE+-]*\d[\d\s,.eE+-]*[\])]?")

_KNOWN = re.compile(
    r"""(?x)
    \b(?:sk|rk|pk)[-_](?:[A-Za-z0-9]{1,15}[-_]){0,4}[A-Za-z0-9]{16,}[\w-]*  # OpenAI, Anthropic, Stripe
    | \bSG\.[\w-]{16,}\.[\w-]{16,} | \b\d{8,10}:AA[\w-]{30,} | (?<=\ login\ )[0-9a-f]{40}\b
    | (?<=\ -u\ )[^\s:]+:\S+ | (?<=sshpass\ -p\ )\S+
    | \bhf_[A-Za-z0-9]{12,} | \bgh[pousr]_[A-Za-z0-9]{12,} | \bgithub_pat_\w{12,} | \bglpat-[\w-]{12,}
    | \bxox[abeprs]-[\w-]{8,} | \b(?:AKIA|ASIA)[0-9A-Z]{12,} | \bAIza[\w-]{20,} | \bya29\.[\w-]{12,}
    | \bnpm_[A-Za-z0-9]{20,} | \bpypi-[\w-]{16,} | \bdapi[0-9a-f]{20,}
    | (?<![\w-])eyJ[\w-]{5,2000}\.[\w-]{5,4000}(?:\.[\w-]*)?                # JSON web tokens
    | (?<=//hooks\.slack\.com/services/)[^\s"']+ | (?<=/api/webhooks/)[^\s"']+
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """
)
_HEADER = re.compile(r"\b(authorization)([\"']?\s*[:=]\s*[\"']?)\w+[ ]+[^\s\"',]+", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer)([ ]+)(?!\[withheld)[\w.~+/=-]{3,}", re.IGNORECASE)

# Names as they stand before "=" and ":" in settings, JSON, YAML, queries, headers and connection strings.
_QUOTE = r"""(?:\\?["'])?"""
_VALUE = r"""
    [|>][+-]?\n(?:[ \t]+[^\n]*\n?)* | -\ [^\n]*(?:\n\s*-\ [^\n]*)* |
    [bBrRuUfF]{0,2}"(?:[^"\\]|\\.)*"? | [bBrRuUfF]{0,2}'(?:[^'\\]|\\.)*'?
    | \\"(?:(?!\\").)*(?:\\")? | \\'(?:(?!\\').)*(?:\\')?
    | [\[({][^\])}]*[\])}]? | [^\s,;&)}\]"']+
"""
_NAMED = re.compile(
    rf"(?x)(?<![\w.-])-{{0,2}}([^\W\d][\w.-]*)(?:{_QUOTE}\s*(?:=>|:=|[=!]=|=|:)\s*|(?<=\w)\s+(?!-))"
)
_SET = re.compile(rf"(?xs){_VALUE}")

# A password may hold spaces and quotes; what follows the colon of a host is a port.
_TYPED = r"[^\s@/?#:]*:(?!\d{0,5}(?:[/?#\s\"',;)\]}]|$))[^\n@]{0,200}@"
_DATABASE = re.compile(
    r"(?:postgres|mysql|mariadb|mssql|oracle|redis|mongodb|amqp|clickhouse|snowflake|cockroach)\w*"
)
_ADDRESS = re.compile(rf"(?<![\w+.-])([A-Za-z][A-Za-z0-9+.-]*)://((?:{_TYPED})?[^\s\"'<>`]*)")
# Of a database's, whatever a password is, up to one space or quote in it, and as far as its "@" is near.
_OF_DATABASE = re.compile(
    rf"(?<![\w+.-])((?:{_DATABASE.pattern})(?:\+\w+)?)://([^\s@/?#:]*:[^\s@]{{0,100}}[\s\"'<>`][^\s@]{{1,100}}@[^\s\"'<>`]*)",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?:\[[0-9a-fA-F:.]*\]|[^:@\[\]]*)(?::\d{0,5})?")
_IN_QUERY = re.compile(
    r"(?:^|[-_])(?:user|username|uid|passfile|sig|signature|key|sas|token)$", re.IGNORECASE
)


# User and password of an address that lacks the slashes by which it would be told.
_MISTYPED = re.compile(r"[^\s/:@]*:[^\s@]*@")


def is_secret(name: str, value: object = "") -> bool:
    """Say whether a setting is a secret, by its name; numbers, flags and nothing seldom are one.

    Args:
        name: Its own name, or a dotted one whose last parts are its own.
        value: What it is set to.

    >>> [is_secret(name) for name in ("api_key", "hub_token", "dbPwd", "OPENAI_KEY", "tokenizer", "sort_key")]
    [True, True, True, True, False, False]
    >>> is_secret("max_token", 1000), is_secret("password", 1234), is_secret("pad_token", "<pad>")
    (False, True, False)
    """
    words = "_".join(word.lower() for word in _WORD.findall(name[-_LONGEST_NAME:]))
    text = str(value)
    is_folder = name in ("PWD", "OLDPWD") and text.startswith("/")  # a shell's, in a copied environment
    if value is None or isinstance(value, bool) or is_folder:
        return False
    if _ALWAYS.search(words) or _is_number(value):
        return bool(_ALWAYS.search(words))
    if _SECRETS.search(words):
        return not _PASSES.search(words)
    door = _DOOR.search(words)
    if door is None:
        return False
    opens = any(_OPENS.fullmatch(word) for word in (door[1] or "", door[2]))
    return opens or words == "token" or not (door[4] or _PLAIN.fullmatch(text))


def may_be_secret(name: str) -> bool:
    """Say whether some value under this name is a secret.

    >>> may_be_secret("some_key"), may_be_secret("lr")
    (True, False)
    """
    return is_secret(name, "?a1B2!")


def redacted(text: str) -> str:
    """Return ``text`` without its secrets, fit to be shown and kept.

    Of an address, user and password go, and so do the secrets of its query; ``name=value``, ``"name": value``
    and ``--name value`` keep their name; what plainly is a key (``sk-…``, ``Bearer …``, a private key) goes.

    >>> redacted("postgresql://ann:s3/cr@et@db/mlflow?password=x&sslmode=require")
    'postgresql://db/mlflow?sslmode=require'
    >>> redacted("http://h/a?mail=x@y.z")
    'http://h/a?mail=x@y.z'
    >>> redacted("no answer to {'api_key': 'abc', 'lr': 0.1}, run with --hub-token abc --seed 1")
    "no answer to {'api_key': [withheld], 'lr': 0.1}, run with --hub-token [withheld] --seed 1"
    """
    if len(text) > _LONGEST:  # nothing of a secret that is cut in two
        text = f"{_BROKEN.sub('', text[:_LONGEST])}…"
    text = _KNOWN.sub(WITHHELD, without_credentials(text))
    text = _BEARER.sub(rf"\1\2{WITHHELD}", _HEADER.sub(rf"\1\2{WITHHELD}", text))
    return _without_values(text)


def redacted_source(given: str) -> str:
    """Return what somebody gave as an address or a path, fit to be shown, though it may be mistyped.

    >>> redacted_source("postgresql:/ann:s3cret@db/mlflow"), redacted_source("runs/curves.csv")
    ('db/mlflow', 'runs/curves.csv')
    """
    return redacted(given if "://" in given else _MISTYPED.sub("", given))


def without_credentials(text: str) -> str:
    """Return ``text`` with user, password and the secrets of the query cut out of every address in it.

    What is left of an address still names its store: files, arguments and locks are called by it.

    >>> without_credentials("https://ann:secret@mlflow.example.org/team?api_key=x")
    'https://mlflow.example.org/team'
    >>> without_credentials("postgresql+psycopg://ann:12/@34?5@db:5432/mlflow")
    'postgresql+psycopg://db:5432/mlflow'
    """
    for pattern in (_OF_DATABASE, _ADDRESS):
        text = pattern.sub(lambda found: f"{found[1]}://{_public(found[1].lower(), found[2])}", text)
    return text


def _public(scheme: str, rest: str) -> str:
    """Return what follows ``scheme://`` without user and password, and without secrets in its query.

    A password may hold ``/``, ``?``, ``#`` and ``@`` as it was typed. So whatever is before the last ``@``
    goes, unless that ``@`` plainly stands in the path or the query behind a host.
    """
    if scheme == "sqlite" and rest.startswith("/"):  # a path, whatever is in it
        return rest
    head, at, tail = rest.rpartition("@")
    host = re.split(r"[/?#]", head, maxsplit=1)[0]
    is_behind = len(host) < len(head) and _HOST.fullmatch(host) is not None
    if ":" in host and _DATABASE.match(scheme):
        is_behind = False  # a password that begins with digits: SQLAlchemy takes all up to the "@" for one
    return _without_secret_query(tail if at and not is_behind else rest)


def _without_secret_query(rest: str) -> str:
    path = re.split("[?#]", rest, maxsplit=1)[0]
    _, *parts = re.split("([?&#])", rest[len(path) :])
    pairs = zip(parts[::2], parts[1::2], strict=True)
    kept = "".join(mark + part for mark, part in pairs if not _is_secret_part(part))
    # What followed a "?" that is gone begins with one.
    return path + (f"?{kept[1:]}" if kept.startswith("&") else kept)


def _is_secret_part(part: str) -> bool:
    name, equals, value = map(unquote_plus, part.partition("="))
    has_secret = _IN_QUERY.search(name) or is_secret(name) or _without_values(value) != value
    return bool(equals and has_secret)


def _without_values(text: str) -> str:
    parts: list[str] = []
    at = 0
    for found in _NAMED.finditer(text):
        is_flag = found[0].startswith("-") or found[0].rstrip()[-1] in "=:>"
        if found.start() < at or not is_flag or not may_be_secret(found[1]):
            continue
        value = _SET.match(text, found.end())
        if value is None or value[0].startswith(("//", WITHHELD)):
            continue
        bare = value[0].strip("\\\"'")
        # "Unexpected token: name" and "first pass: done" are prose.
        is_prose = found[0].endswith(": ") and found[0][-3].isalnum() and _PLAIN.fullmatch(bare) is not None
        if is_secret(found[1], bare) and not (is_prose and not _ALWAYS.search(found[1].lower())):
            parts += text[at : found.end()], WITHHELD
            at = value.end()
    return "".join([*parts, text[at:]])


def _is_number(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_number, cast("list[object]", value)))
    if not isinstance(value, str):
        return isinstance(value, int | float | complex)
    return bool(_NUMBERS.fullmatch(value)) or value.casefold() in (
        "none",
        "null",
        "true",
        "false",
        "nan",
        "inf",
    )
