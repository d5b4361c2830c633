import pytest

from tests.soak import soak


@pytest.mark.slow
def test_a_short_soak_loses_nothing_and_doubles_nothing(tmp_path, home, monkeypatch):
    monkeypatch.setenv("PRICER_DATABASE_URL", f"sqlite:///{tmp_path / 'soak.db'}")
    told = soak(tmp_path, count=8, kills=2, stops=1, job_kills=1, lease_seconds=3.0, seed=1)
    assert told["done to them"] == {"worker killed": 2, "worker stopped": 1, "job killed": 1}
    assert (told["states"], told["results"], told["files"]) == ({"done": 8}, 8, 8)
    assert max(told["attempts"]) > 1 or told["taken over"]
