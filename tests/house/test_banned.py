"""What no package may do: run data as code, show data as markup, have polars call Python or guess files."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROOMS = (
    "schemas",
    "collectors",
    "transitions",
    "interventions",
    "experiments",
    "dashboard",
    "benchmarks",
    "examples",
)
SOURCES = sorted(path for room in ROOMS for path in (REPOSITORY / room).rglob("*.py"))

MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
CALLS = {"yaml.load", "os.system", "os.popen", "st.html", "st.iframe", "st.components.v1.html"}
METHODS = {"load_model", "unsafe_load"}
# Polars calls a Python function on threads of its own, which then wait for Python's lock; whoever holds that
# lock may be waiting for these threads, and the process stands still for good. Objects are no better: polars
# needs the lock to copy, compare and drop them. ``schemas.mapped``, a join or a loop over rows does the same.
CALLED_BACK = {
    "collect_batches", "cum_fold", "cum_reduce", "defer", "map_batches", "map_columns", "map_elements",
    "map_groups", "map_rows", "pipe_with_dtype", "pipe_with_schema", "register_io_source", "rolling_map",
    "scan_pyarrow_dataset", "sink_batches",
}  # fmt: skip
OF_POLARS = {"fold", "reduce", "Object"}
# Polars takes * ? [ in a path for a pattern: a file may be called *.csv, and a folder run[1]. Those that know
# no glob=False are given the open file.
READERS = {
    "read_avro", "read_csv", "read_delta", "read_ipc", "read_ipc_stream", "read_ndjson", "read_parquet",
    "scan_csv", "scan_ipc", "scan_ndjson", "scan_parquet",
}  # fmt: skip
# How a file is replaced and who holds it is decided in one folder.
FILES = REPOSITORY / "schemas/grokscope/schemas/files"
OF_FILES = {"fcntl", "os.replace", "os.rename", "os.link", "mkstemp", "NamedTemporaryFile"}
ALLOWED = {
    "dashboard/grokscope/cli/stacks.py": ["tempfile.mkstemp"]
}  # a new file, which takes no other's place


def of_files(tree):
    named = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    named += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            named += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in named if {name, *name.split(".")} & OF_FILES]


def findings(tree):
    exact = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and reads_one_file(node)}
    return [finding for node in ast.walk(tree) if node not in exact and (finding := banned(node))]


def reads_one_file(call):
    first = ast.unparse(call.args[0]) if call.args else ""
    return first == "file" or any(k.arg == "glob" and ast.unparse(k.value) == "False" for k in call.keywords)


def banned(node):
    if isinstance(node, ast.Attribute) and (name := banned_attribute(node)):
        return name
    if isinstance(node, ast.Import | ast.ImportFrom):
        return banned_import(node)
    if isinstance(node, ast.Call):
        return banned_call(ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords})
    return None


def banned_attribute(node):
    is_polars = isinstance(node.value, ast.Name) and node.value.id in ("pl", "polars")
    return node.attr if node.attr in CALLED_BACK or (is_polars and node.attr in OF_POLARS | READERS) else None


def banned_import(node):
    if isinstance(node, ast.Import):
        modules, names = [alias.name for alias in node.names], []
    else:
        modules, names = [node.module or ""], [alias.name for alias in node.names]
    if any(name.split(".")[0] == "polars" for name in modules):
        return next((name for name in names if name in CALLED_BACK | OF_POLARS | READERS), None)
    if modules == ["safetensors.torch"]:  # its load_model reads tensors only
        return None
    return next(
        (name for name in (*modules, *names) if name.split(".")[0] in MODULES or name in METHODS), None
    )


def banned_call(name, keywords):
    if name in BUILTINS or name in CALLS or any(name.endswith(f".{method}") for method in METHODS):
        return name
    if name == "torch.load" and keywords.get("weights_only") != "True":
        return "torch.load without weights_only=True"
    return next((k for k in ("unsafe_allow_html", "shell") if keywords.get(k, "False") != "False"), None)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_module_does_nothing_that_is_banned(path):
    assert findings(ast.parse(path.read_text())) == []


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if not p.is_relative_to(FILES)], ids=lambda p: str(p.relative_to(REPOSITORY))
)
def test_files_are_replaced_and_locked_by_one_rule(path):
    assert of_files(ast.parse(path.read_text())) == ALLOWED.get(str(path.relative_to(REPOSITORY)), [])


@pytest.mark.parametrize(
    "code",
    ["import fcntl", "from fcntl import flock", "os.replace(a, b)", "from os import rename", "os.link(a, b)",
     "tempfile.mkstemp()"],
)  # fmt: skip
def test_a_rule_of_its_own_for_files_is_found(code):
    assert len(of_files(ast.parse(code))) == 1


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "import numpy, cloudpickle.x",
        "eval('1')",
        "exec(x)",
        "yaml.load(f)",
        "os.system('ls')",
        "mlflow.pytorch.load_model(uri)",
        "from mlflow.pytorch import load_model",
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "torch.load(f, weights_only=flag)",
        "st.markdown(x, unsafe_allow_html=True)",
        "st.html(x)",
        "st.components.v1.html(x)",
        "subprocess.run(x, shell=True)",
        "frame.with_columns(pl.col('x').map_elements(f))",
        "frame.group_by('g').agg(pl.struct('x', 'y').map_batches(f))",
        "frame.group_by('g').map_groups(f)",
        "pl.map_groups(['a'], f)",
        "each = series.map_elements",
        "frame.lazy().map_batches(f)",
        "frame.map_rows(f)",
        "series.rolling_map(f, 3)",
        "pl.fold(0, f, pl.all())",
        "pl.Series(x, dtype=pl.Object)",
        "from polars import map_groups",
        "from polars.io.plugins import register_io_source",
        "pl.read_csv(path)",
        "pl.scan_parquet(folder / '*.parquet', glob=True)",
        "pl.read_ndjson(path)",
        "readers = {'.csv': pl.read_csv}",
        "from polars import read_csv",
    ],
)
def test_what_is_banned_is_found(code):
    assert len(findings(ast.parse(code))) == 1


@pytest.mark.parametrize(
    "code",
    [
        "model.eval()",
        "torch.load(f, weights_only=True)",
        "yaml.safe_load(f)",
        "subprocess.run(['ls'])",
        "re.compile('x')",
        "from safetensors.torch import load_model",
        "functools.reduce(f, x)",
        "pl.read_csv(path, glob=False)",
        "pl.read_ndjson(file)",
        "frame.group_by('g').agg(pl.col('x').sum())",
        "series.replace_strict({'a': 'b'})",
    ],
)
def test_what_is_harmless_is_let_through(code):
    assert findings(ast.parse(code)) == []


def test_which_extra_to_install_is_said_in_one_place():
    said = [str(path.relative_to(REPOSITORY)) for path in SOURCES if "grokscope[" in path.read_text()]
    assert said == ["schemas/grokscope/schemas/extras.py"]
