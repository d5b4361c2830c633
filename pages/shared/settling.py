"""Keep what modules hold out of the search for garbage, which Streamlit makes after every run of a page.

That search looks at every object: 100 ms where the libraries of a page are loaded, for a part of it that runs in 10 ms.
"""

import gc
from functools import cache


@cache
def settle(page: str) -> None:
    """Once in a process for every page, when it has run and so imported what it needs."""
    gc.collect()
    gc.freeze()
