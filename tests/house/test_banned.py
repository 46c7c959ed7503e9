"""What no package may do: run data as code, or show data as markup."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("schemas", "collectors", "transitions", "experiments", "dashboard", "benchmarks", "examples")
SOURCES = sorted(path for room in ROOMS for path in (REPOSITORY / room).rglob("*.py"))

MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
CALLS = {"yaml.load", "os.system", "os.popen", "st.html", "st.iframe", "st.components.v1.html"}
METHODS = {"load_model", "unsafe_load"}


def findings(tree):
    return [finding for node in ast.walk(tree) if (finding := banned(node))]


def banned(node):
    if isinstance(node, ast.Import | ast.ImportFrom):
        return banned_import(node)
    if isinstance(node, ast.Call):
        return banned_call(ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords})
    return None


def banned_import(node):
    if isinstance(node, ast.Import):
        modules, names = [alias.name for alias in node.names], []
    else:
        modules, names = [node.module or ""], [alias.name for alias in node.names]
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
    ],
)
def test_what_is_harmless_is_let_through(code):
    assert findings(ast.parse(code)) == []
