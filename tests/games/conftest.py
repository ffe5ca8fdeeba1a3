"""What tests of stored results share."""

import pytest


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A folder for the stored results of one test alone."""
    monkeypatch.setenv("ISOELO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
