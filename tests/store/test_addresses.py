"""Which store is meant, and what opening the package costs."""

import subprocess
import sys

import pytest

from grokscope.schemas.secrets import redacted
from grokscope.store import UnknownStoreError, open_store


def test_three_slashes_are_relative_to_the_working_folder_and_four_absolute(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    store = open_store("sqlite:///mlflow.db")
    monkeypatch.chdir("/")
    assert store.experiments().height == 1


def test_a_path_with_signs_that_mean_something_in_addresses_is_opened(file):
    odd = file.rename(file.parent / "100% of #1.db")
    assert open_store(f"sqlite:///{odd}").experiments().height == 1


def test_credentials_are_not_shown():
    assert redacted("https://ann:se:cr/et@host/x") == "https://host/x"
    assert redacted("postgresql://db/mlflow") == "postgresql://db/mlflow"


def test_importing_the_store_imports_neither_mlflow_nor_sqlalchemy():
    heavy = "[m for m in ('mlflow', 'sqlalchemy', 'requests', 'torch', 'streamlit') if m in sys.modules]"
    code = f"import sys, grokscope.store; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_reading_sqlite_does_not_import_mlflow(file):
    code = (
        "import sys; from grokscope.store import open_store; s = open_store(sys.argv[1]);"
        "s.runs(); s.points([]); print('mlflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{file}"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize(
    "uri",
    ["sqlite://ann:canary@h/x.db", "file://ann:canary@h/x", "parquet://ann:canary@h/x", "ftp://a:canary@h"],
)
def test_an_address_that_is_refused_is_shown_without_its_credentials(uri):
    with pytest.raises(UnknownStoreError) as refused:
        open_store(uri)
    assert "canary" not in str(refused.value)
