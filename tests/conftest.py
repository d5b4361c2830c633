import os
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

# The same examples each time, whatever the machine's speed.
hypothesis_settings.register_profile("pricer", derandomize=True, deadline=None)
hypothesis_settings.load_profile("pricer")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow tests last, so that what fails fast fails first."""
    items.sort(key=lambda item: any(item.get_closest_marker(name) for name in ("slow", "browser")))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own."""
    for name in [name for name in os.environ if name.startswith("PRICER_") and name != "PRICER_CHROMIUM"]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("PRICER_HOME", str(folder))
    return folder
