"""Whatever happened to a mirror's files, what is read is what the store holds, and it is said once."""

import json
import logging
import os
import shutil
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from grokscope.schemas import POINT_SCHEMA
from grokscope.store import open_store
from grokscope.store.cache import mirror as mirror_module
from grokscope.store.cache.files import FORMAT, MirrorError, checksum_of
from grokscope.store.cache.location import open_mirror

ANOTHER = "sqlite:////x.db"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A mirror of the test's own; its name is one that a glob would read as a pattern."""
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home [1] *"))
    return tmp_path / "home [1] *"


@pytest.fixture
def run(client, new_run, log):
    run_id = new_run()
    log(run_id, *[(key, step, step, step / 7) for key in "ab" for step in range(120)])
    return run_id


@pytest.fixture
def folder(home, client, run, log, monkeypatch):
    """The folder of a mirror of two files: the second is saved by a process of its own, and is small."""
    with monkeypatch.context() as patch:
        patch.setattr(mirror_module, "SAVE_S", 0.0)
        for more in ((), [("a", step, step, 1.0) for step in range(120, 125)]):
            log(run, *more)
            store = open_store(client.tracking_uri)
            store.points([run])
            store.close()
    found = next((home / "mirror").iterdir())
    assert len(list(found.glob("*.parquet"))) == 2
    return found


def first(folder):
    return min(folder.glob("*.parquet"))


def second(folder):
    return max(folder.glob("*.parquet"))


def rewrite(path, frame):
    frame.write_parquet(path)
    path.chmod(0o600)


def changed(path, **values):
    rewrite(path, pl.read_parquet(path, glob=False).with_columns(**values))


def swap(folder):
    one, other = first(folder), second(folder)
    shutil.move(one, folder / "aside")
    shutil.move(other, one)
    shutil.move(folder / "aside", other)


def linked(path):
    shutil.move(path, path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def replaced_by_a_pipe(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def replaced_by_a_folder(path):
    path.unlink()
    path.mkdir()


def said(folder):
    return json.loads((folder / "manifest.json").read_text())["manifest"]


def say(folder, manifest, *, version=FORMAT):
    sign(folder, json.dumps(manifest).encode(), version=version)


def sign(folder, body, *, version=FORMAT):
    """Write a manifest whose checksum is right."""
    head = f'{{"format": {version}, "checksum": "{checksum_of(body)}", "manifest": '
    (folder / "manifest.json").write_bytes(head.encode() + body + b"}")


def of_the_first_format(folder):
    """Write the manifest as the first version did: without checksums, and with other rows behind it."""
    changed(first(folder), value=pl.lit(0.0))
    manifest = said(folder)
    segments = [{"name": segment["name"], "rows": segment["rows"]} for segment in manifest["segments"]]
    text = json.dumps({"format": 1, **manifest, "segments": segments})
    (folder / "manifest.json").write_text(text)


def with_other_counts(folder):
    manifest = said(folder)
    manifest["segments"][0]["rows"] += 5
    say(folder, manifest)


DAMAGES = {
    "values changed": lambda folder: changed(first(folder), value=pl.col("value") + 1),
    "rows taken out": lambda folder: rewrite(first(folder), pl.read_parquet(first(folder), glob=False)[:5]),
    "rows added": lambda folder: changed(second(folder), step=pl.col("step") + 1),
    "files swapped": swap,
    "cut short": lambda folder: os.truncate(first(folder), first(folder).stat().st_size - 9),
    "emptied": lambda folder: first(folder).write_bytes(b""),
    "longer": lambda folder: first(folder).write_bytes(first(folder).read_bytes() + b"\0"),
    "a link": lambda folder: linked(first(folder)),
    "a pipe": lambda folder: replaced_by_a_pipe(first(folder)),
    "a folder": lambda folder: replaced_by_a_folder(first(folder)),
    "open to others": lambda folder: first(folder).chmod(0o666),
    "manifest a link": lambda folder: linked(folder / "manifest.json"),
    "manifest a pipe": lambda folder: replaced_by_a_pipe(folder / "manifest.json"),
    "manifest cut": lambda folder: os.truncate(folder / "manifest.json", 300),
    "manifest deep": lambda folder: (folder / "manifest.json").write_text("[" * 10**6),
    "manifest deep and signed": lambda folder: sign(folder, b"[" * 10**6),
    "of the first format": of_the_first_format,
    "of a later format": lambda folder: say(folder, said(folder), version=FORMAT + 1),
    "of another store": lambda folder: say(folder, {**said(folder), "store": ANOTHER}),
    "other counts": with_other_counts,
    "folder open to others": lambda folder: folder.chmod(0o777),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_the_store_is_read_again_and_it_is_said_once(name, folder, client, run, reference, caplog):
    DAMAGES[name](folder)
    caplog.set_level(logging.WARNING)
    for _ in range(2):
        store = open_store(client.tracking_uri)
        assert_frame_equal(store.points([run]), reference([run]))
        store.close()
    assert [record.name for record in caplog.records] == ["grokscope.store.cache.mirror"]
    assert "is not believed, and the store is read again" in caplog.text
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir() if path.is_file()} == {0o600}


def test_a_flipped_bit_anywhere_is_never_read_as_data(tmp_path):
    root = tmp_path / "root"
    points = pl.DataFrame(
        [("r", "m", step, step, step / 7) for step in range(40)], schema=POINT_SCHEMA, orient="row"
    )
    mirror = open_mirror(ANOTHER, root=root)
    mirror.save({("r", "m"): [points]}, state=None, complete={"r": None})
    mirror.close()
    kept = shutil.copytree(root, tmp_path / "kept")
    folder = next(root.iterdir())
    for name in ("manifest.json", first(folder).name):
        content = (next(kept.iterdir()) / name).read_bytes()
        for place in range(0, len(content), 7):
            shutil.rmtree(root)
            shutil.copytree(kept, root)
            bit = 1 << place % 8
            (folder / name).write_bytes(
                content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]
            )
            damaged = open_mirror(ANOTHER, root=root)
            if damaged.complete:
                with pytest.raises(MirrorError):
                    damaged.read(["r"], None)
            damaged.close()


def test_damage_after_a_file_was_read_is_seen_too(home, folder, client, run, new_run, reference):
    other = new_run()
    store = open_store(client.tracking_uri)
    store.points([run], ["a"])
    changed(first(folder), value=pl.col("value") + 1)
    assert_frame_equal(store.points([run, other]), reference([run, other]))
    store.close()


def test_damage_that_shows_while_saving_neither_escapes_nor_stays(
    home, folder, client, run, log, reference, monkeypatch
):
    monkeypatch.setattr(mirror_module, "SAVE_S", 0.0)
    store = open_store(client.tracking_uri)
    store.points([run], ["a"])
    second(folder).unlink()
    log(run, *[("a", step, step, 2.0) for step in range(200, 230)])
    assert_frame_equal(store.points([run], ["a"]), reference([run], ["a"]))
    second(folder).unlink()
    log(run, ("a", 300, 300, 2.0))
    store.close()
    assert_frame_equal(open_store(client.tracking_uri).points([run]), reference([run]))


NODES = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.sampled_from([0, -1, 2**63, 10**30, 1.5, float("inf"), float("nan"), [], {}, [[]], {"a": None}]),
)


@pytest.fixture
def kept(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "kept")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_manifest_that_says_anything_at_all_raises_nothing(data, folder, client, run, kept):
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)
    manifest = said(folder)
    places = list(walked(manifest))
    holder, key = data.draw(st.sampled_from(places))
    if data.draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = data.draw(NODES)
    say(folder, manifest)
    store = open_store(client.tracking_uri)
    assert store.points([run]).schema == POINT_SCHEMA
    store.close()


def walked(node):
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(items):
        yield node, key
        yield from walked(value)


def test_a_place_that_is_a_link_or_somebody_else_s_is_left_alone(tmp_path, caplog):
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    root = tmp_path / "root"
    root.symlink_to(target)
    assert open_mirror(ANOTHER, root=root) is None
    assert list(target.iterdir()) == []
    assert target.stat().st_mode & 0o777 == 0o755
    assert "is a link" in caplog.text
    if os.geteuid() == 0:
        os.chown(target, 65534, 65534)
        assert open_mirror(ANOTHER, root=target) is None
        assert "uid 65534, not to you" in caplog.text


def test_what_a_killed_writer_left_half_written_is_removed_and_odd_things_beside_mirrors_are_no_obstacle(
    tmp_path,
):
    (tmp_path / ".DS_Store").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    mirror = open_mirror(ANOTHER, root=tmp_path)
    folder = next(path for path in tmp_path.iterdir() if path.is_dir())
    (folder / ".0123456789abcdef.part").write_bytes(b"half")
    mirror.reset()
    assert sorted(path.name for path in folder.iterdir()) == ["lock", "manifest.json"]
    mirror.close()


def test_nothing_is_written_through_a_link_that_was_put_there_before(home, client, run, tmp_path):
    mine = tmp_path / "precious"
    mine.write_text("precious")
    folder = open_mirror(client.tracking_uri)._folder
    for name in (
        "manifest.json",
        ".manifest.json.part",
        "00000001.parquet",
        ".00000001.parquet.part",
        "lock",
    ):
        Path(folder / name).unlink(missing_ok=True)
        Path(folder / name).symlink_to(mine)
    store = open_store(client.tracking_uri)
    store.points([run])
    store.close()
    assert mine.read_text() == "precious"
