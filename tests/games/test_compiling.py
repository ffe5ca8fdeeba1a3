"""Compiled kernels are kept apart per state of the source."""

import numba

from games import compiling


def tree(tmp_path, **files):
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text(text)
    return tmp_path


def test_an_edit_of_any_file_with_kernels_changes_the_digest(tmp_path):
    root = tree(
        tmp_path, games__a="@kernel\ndef f(): ...", mcts__b="@kernel\ndef g(): ...", agents__c__d="import numba"
    )
    before = compiling.source_digest(root)
    for name in ("games__a", "mcts__b", "agents__c__d"):
        old = (root / name.replace("__", "/")).with_suffix(".py").read_text()
        assert compiling.source_digest(tree(root, **{name: old + "  "})) != before
        assert compiling.source_digest(tree(root, **{name: old})) == before


def test_a_file_without_kernels_changes_nothing(tmp_path):
    root = tree(tmp_path, games__a="@kernel\ndef f(): ...")
    assert compiling.source_digest(tree(root, games__plain="x = 1")) == compiling.source_digest(root)


def test_numba_writes_to_the_folder_of_this_source(monkeypatch, tmp_path):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("ISOELO_CACHE", str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "before")
    compiling.use_cache_of_this_source()
    assert str(tmp_path / "kernels" / compiling.source_digest()) == numba.config.CACHE_DIR


def test_an_unwritable_folder_or_a_choice_of_the_user_is_left_alone(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "before")
    monkeypatch.setenv("ISOELO_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    compiling.use_cache_of_this_source()
    monkeypatch.setenv("ISOELO_CACHE", str(tmp_path))
    monkeypatch.setenv("NUMBA_CACHE_DIR", "own")
    compiling.use_cache_of_this_source()
    assert numba.config.CACHE_DIR == "before"
