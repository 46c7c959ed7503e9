"""What images and releases are made of: packages by hash, actions by commit, no right without a need."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
RELEASE = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "release.yml").read_text())
LOCKS = sorted((REPOSITORY / "docker").glob("*.lock"))
PIN = re.compile(
    r"^([a-z0-9._-]+)==(\S+)(?: ;[^\\\n]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
DOCKERFILE = (REPOSITORY / "docker" / "Dockerfile").read_text()
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def _names(requirements):
    return {re.split(r"[\[<>=;~ ]", one)[0].lower() for one in requirements}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_follows_the_schema_and_keeps_no_rights_by_default(workflow):
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [checker, "--builtin-schema=vendor.github-workflows", workflow]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    read = yaml.safe_load(workflow.read_text())
    assert read["permissions"] in ({}, {"contents": "read"})
    checkouts = [s for job in read["jobs"].values() for s in job["steps"] if "checkout@" in s.get("uses", "")]
    assert [step["with"] for step in checkouts] == [{"persist-credentials": False}] * len(checkouts)
    assert all(job["timeout-minutes"] <= 60 for job in read["jobs"].values())


def test_a_release_takes_every_action_by_its_commit_and_says_which_version_that_is():
    lines = re.findall(
        r"uses: (.+)$", (REPOSITORY / ".github" / "workflows" / "release.yml").read_text(), re.MULTILINE
    )
    assert len(lines) == sum("uses" in step for job in RELEASE["jobs"].values() for step in job["steps"])
    assert [
        line for line in lines if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
    ] == []
    assert len(set(lines)) == len({line.partition("@")[0] for line in lines})


def test_a_release_is_built_tested_attested_and_published_in_this_order_each_with_its_rights_only():
    jobs = RELEASE["jobs"]
    reads, signs = {"contents": "read"}, {"id-token": "write"}
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "build": reads, "test": reads, "install": {}, "publish": signs,
        "attest": signs | {"attestations": "write"},
    }  # fmt: skip
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "build": None, "test": None, "install": "build", "publish": "attest",
        "attest": ["build", "test", "install"],
    }  # fmt: skip
    assert RELEASE[True] == {"push": {"tags": ["v*"]}}  # YAML reads `on` so
    assert jobs["publish"]["environment"] == "pypi"
    assert "secrets." not in (REPOSITORY / ".github" / "workflows" / "release.yml").read_text()
    named = [c.rpartition(" :: ")[2] for c in PROJECT["project"]["classifiers"] if "Python :: 3." in c]
    assert jobs["install"]["strategy"]["matrix"]["python"] == named


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_has_hashes_the_versions_of_the_constraints_and_no_host(lock):
    text = lock.read_text()
    pins = {name: version for name, version, _ in PIN.findall(text)}
    constraints = dict(
        re.findall(r"^([a-z0-9._-]+)==(\S+)$", (REPOSITORY / "constraints.txt").read_text(), re.MULTILINE)
    )
    assert len(pins) == text.count("==")
    assert {name: constraints.get(name, version) for name, version in pins.items()} == pins
    assert "://" not in text
    assert "torch" not in pins


def test_the_locks_hold_what_the_image_needs():
    project, build = PROJECT["project"], PROJECT["build-system"]
    held = {lock.stem: {name for name, _, _ in PIN.findall(lock.read_text())} for lock in LOCKS}
    assert (
        _names(project["dependencies"]) | _names(project["optional-dependencies"]["app"])
        <= held["requirements"]
    )
    assert _names(build["requires"]) <= held["build"]
    assert held.keys() == {"build", "requirements"}


def test_the_image_installs_by_hash_or_without_an_index_and_copies_every_room():
    installs = re.findall(r"pip (?:install|wheel) (.+)$", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 4
    assert all("--require-hashes" in words or "--no-index --no-deps" in words for words in installs)
    rooms = {path.split("/")[0] for path in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    assert set(re.findall(r"^COPY ([a-z]+) /src/", DOCKERFILE, re.MULTILINE)) == rooms
    kept = (REPOSITORY / "docker" / "Dockerfile.dockerignore").read_text()
    assert {f"!{room}" for room in rooms} <= set(kept.splitlines())
    python = re.findall(r"^FROM python:(3\.\d+)-", DOCKERFILE, re.MULTILINE)
    assert python == re.findall(r"--python-version (3\.\d+)", (REPOSITORY / "Makefile").read_text()) * 2
