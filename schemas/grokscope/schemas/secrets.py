"""What is withheld, and how: one rule for both sides, for settings, addresses and every text that is shown.

``is_secret`` judges a name and its value; ``redacted`` cuts secrets out of a text, an address or an error.
Where it is not plain whether something is a secret, it is taken for one.
"""

import re
from collections.abc import Mapping
from typing import cast
from urllib.parse import unquote_plus

WITHHELD = "[withheld]"
"""What stands in a secret's place."""

_LONGEST = 100_000

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
# Whatever stands beside them, and whether the value is a number or a text.
_ALWAYS = re.compile(
    "passw|passphrase|passcode|credential|authorization|(api|access|private|secret|auth)_?key"
    "|(?<![a-z])(pwd|pw|pswd)(?![a-z])"
)
# Text only: a sparse parity has a secret of three positions.
_SECRETS = re.compile("(?<![a-z])(secrets?|bearer|cookies?|jwt|oauth|webhook)(?![a-z])|(?<![a-z])auth$")
# Last words that open doors, with the words before them that say otherwise.
_HARMLESS: Mapping[str, frozenset[str]] = {
    last: frozenset(words.split())
    for last, words in {
        "pass": "forward backward single first second one two multi per band low high by all",
        "token": (
            "pad eos bos unk mask sep cls image audio video special stop start end begin next last first per "
            "boundary system user assistant prefix suffix middle decoder forced additional blank"
        ),
        "key": (
            "sort order group primary foreign metric label labels image text input inputs output outputs "
            "data target batch monitor feature features prompt column index rng prng cache dict state name "
            "mask question answer value values query attn attention kv partition join row field json config "
            "param params dataset doc loss score reward hash event lookup sample eval train val validation "
            "test best checkpoint ckpt logits hidden time step x y src tgt source map response completion "
            "message content"
        ),
    }.items()
}
_MANY = re.compile("(?<![a-z])(api|auth|access|bot|hub|ssh|service|user|refresh)_(tokens|keys)$")
_PLAIN_WORD = re.compile(r"[a-z]+(?:[_./ -][a-z]+)*")

_KNOWN = re.compile(
    r"""(?x)
    \b(?:sk|rk|pk)[-_](?=[A-Za-z_-]{0,40}\d)[\w-]{16,}               # OpenAI, Anthropic, Stripe
    | \bhf_[A-Za-z0-9]{12,} | \bgh[pousr]_[A-Za-z0-9]{12,} | \bgithub_pat_\w{12,} | \bglpat-[\w-]{12,}
    | \bxox[abeprs]-[\w-]{8,} | \b(?:AKIA|ASIA)[0-9A-Z]{12,} | \bAIza[\w-]{20,} | \bya29\.[\w-]{12,}
    | \bnpm_[A-Za-z0-9]{20,} | \bpypi-[\w-]{16,} | \bdapi[0-9a-f]{20,}
    | \beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?                         # JSON web tokens
    | (?<=//hooks\.slack\.com/services/)[^\s"']+ | (?<=/api/webhooks/)[^\s"']+
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """
)
_HEADER = re.compile(r"\b(authorization)([\"']?\s*[:=]\s*[\"']?)\w+[ ]+[^\s\"',]+", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer)([ ]+)(?!\[withheld)[\w.~+/=-]{3,}", re.IGNORECASE)

# Names as they stand before "=" and ":" in settings, JSON, YAML, queries, headers and connection strings.
_QUOTE = r"""(?:\\?["'])?"""
_VALUE = r"""
    [bBrRuUfF]{0,2}"(?:[^"\\]|\\.)*"? | [bBrRuUfF]{0,2}'(?:[^'\\]|\\.)*'?
    | \\"(?:(?!\\").)*(?:\\")? | \\'(?:(?!\\').)*(?:\\')?
    | [\[({][^\])}]*[\])}]? | [^\s,;&)}\]"']+
"""
_NAMED = re.compile(
    rf"(?x)(?<![\w.-])-{{0,2}}([^\W\d][\w.-]*)(?:{_QUOTE}\s*(?:=>|:=|=|:)\s*|(?<=\w)\s+(?!-))"
)
_SET = re.compile(rf"(?xs){_VALUE}")

# A password may hold spaces and quotes; what follows the colon of a host is a port.
_TYPED = r"[^\s@/?#:]*:(?!\d{0,5}(?:[/?#\s\"',;)\]}]|$))[^\n@]{0,200}@"
_ADDRESS = re.compile(rf"(?<![\w+.-])([A-Za-z][A-Za-z0-9+.-]*)://((?:{_TYPED})?[^\s\"'<>`]*)")
_HOST = re.compile(r"(?:\[[0-9a-fA-F:.]*\]|[^:@\[\]]*)(?::\d{0,5})?")
_USER_IN_QUERY = frozenset({"user", "username", "uid", "passfile", "sig", "signature", "key", "sas"})


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
    words = "_".join(word.lower() for word in _WORD.findall(name))
    if value is None or isinstance(value, bool):
        return False
    if _ALWAYS.search(words) or _is_number(value):
        return bool(_ALWAYS.search(words))
    if _SECRETS.search(words) or _MANY.search(words):
        return True
    for last, harmless in _HARMLESS.items():
        if words == "key":  # it names a column as often as it opens a door
            return not _PLAIN_WORD.fullmatch(str(value))
        if words.endswith(last):
            before = words.removesuffix(last).removesuffix("_").rpartition("_")[2]
            return before not in harmless and (last != "pass" or words.removesuffix(last)[-1:] in ("", "_"))
    return False


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
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    text = _KNOWN.sub(WITHHELD, without_credentials(text))
    text = _BEARER.sub(rf"\1\2{WITHHELD}", _HEADER.sub(rf"\1\2{WITHHELD}", text))
    return _without_values(text)


def without_credentials(text: str) -> str:
    """Return ``text`` with user, password and the secrets of the query cut out of every address in it.

    What is left of an address still names its store: files, arguments and locks are called by it.

    >>> without_credentials("https://ann:secret@mlflow.example.org/team?api_key=x")
    'https://mlflow.example.org/team'
    >>> without_credentials("postgresql+psycopg://ann:12/@34?5@db:5432/mlflow")
    'postgresql+psycopg://db:5432/mlflow'
    """
    return _ADDRESS.sub(lambda found: f"{found[1]}://{_public(found[1].lower(), found[2])}", text)


def _public(scheme: str, rest: str) -> str:
    """Return what follows ``scheme://`` without user and password, and without secrets in its query.

    A password may hold ``/``, ``?``, ``#`` and ``@`` as it was typed. So whatever is before the last ``@``
    goes, unless that ``@`` plainly stands in the path or the query behind a host.
    """
    head, at, tail = rest.rpartition("@")
    host = re.split(r"[/?#]", head, maxsplit=1)[0]
    is_behind = len(host) < len(head) and _HOST.fullmatch(host) is not None
    if is_behind and ":" in host and scheme not in ("http", "https"):
        is_behind = False  # a password that begins with digits: SQLAlchemy takes all up to the "@" for one
    return _without_secret_query(tail if at and not is_behind else rest)


def _without_secret_query(rest: str) -> str:
    place, *parts = re.split(r"([?&#])", rest)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    kept = "".join(mark + part for mark, part in pairs if not _is_secret_part(part))
    # What followed a "?" that is gone begins with one.
    return place + (f"?{kept[1:]}" if kept.startswith("&") else kept)


def _is_secret_part(part: str) -> bool:
    name, equals, value = map(unquote_plus, part.partition("="))
    has_secret = name.lower() in _USER_IN_QUERY or is_secret(name) or _without_values(value) != value
    return bool(equals) and has_secret


def _without_values(text: str) -> str:
    parts: list[str] = []
    at = 0
    for found in _NAMED.finditer(text):
        is_flag = found[0].startswith("-") or found[0].rstrip()[-1] in "=:>"
        if found.start() < at or not is_flag or not is_secret(found[1]):
            continue
        value = _SET.match(text, found.end())
        is_shown = value is None or value[0].startswith(("//", WITHHELD))
        if value is not None and not is_shown and is_secret(found[1], value[0].strip("\\\"'")):
            parts += text[at : found.end()], WITHHELD
            at = value.end()
    return "".join([*parts, text[at:]])


def _is_number(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_number, cast("list[object]", value)))
    if not isinstance(value, str):
        return isinstance(value, int | float | complex)
    try:
        float(value)
    except ValueError:
        return value.casefold() in ("none", "null", "true", "false")
    return True
