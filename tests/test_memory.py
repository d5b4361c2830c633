"""Whether a killed process ran out of memory."""

import pytest

from pricer.runs import memory


@pytest.mark.parametrize("text", ["low 0\noom 3\noom_kill 2\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 2"])
def test_the_system_s_count_is_evidence(text, tmp_path, monkeypatch):
    (tmp_path / "memory.events").write_text(text)
    monkeypatch.setattr(memory, "_control_groups", lambda: [tmp_path])
    assert memory.killed_processes() == 2
    assert memory.evidence({"killed_for_memory_before": 1, "peak_bytes": 0}) == "the system kills for memory"
    assert memory.evidence({"killed_for_memory_before": 2, "peak_bytes": 0}) is None
    assert memory.evidence({}) is None  # it gave no sign of life


def test_a_peak_near_the_limit_is_evidence(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("2000000000\n")
    monkeypatch.setattr(memory, "_control_groups", lambda: [tmp_path])
    assert memory.limit_bytes() == 2_000_000_000
    assert memory.evidence({"peak_bytes": 1_900_000_000}) == "it held 1.9 GB of 2.0"
    assert memory.evidence({"peak_bytes": 1_000_000_000}) is None


def test_a_group_without_a_limit_has_the_machine_s(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("max\n")
    monkeypatch.setattr(memory, "_control_groups", lambda: [tmp_path])
    assert memory.limit_bytes() == memory.psutil.virtual_memory().total
