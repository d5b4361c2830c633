"""The balancer: sliders and charts in the browser that follow them, exact as soon as the hand lets go.

Streamlit's sliders report only on release, so this is a component of its own. Two elements make it: one that nobody
sees brings the scripts and the pool, and is sent once; the other, the balancer itself, gets only the settings and the
plan. Both sides may change the settings; `balancer.js` says how neither undoes the other.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from pricer.catalogue.store import Catalogue
from pricer.curation.index import PoolIndex
from pricer.curation.recipe import preset
from pricer.curation.sampler import Plan
from pricer.figures.canvas import round_step
from pricer.figures.formats import category_name
from pricer.items import LOWEST_SLOT

HERE = Path(__file__).parent
SCRIPTS = ("plan", "format", "elements", "axes", "histogram", "categories", "controls", "layout", "balancer")
KEY, POOL_KEY = "balancer", "balancer_pool"
MOST_SLIDERS = 8


def script(names: Iterable[str] = SCRIPTS) -> str:
    """Modules of this folder as one text, which is how Streamlit takes a script: each a function of its own scope.

    A module must stand after those that it imports from.
    """
    return "\n".join(map(_scoped, names))


def _scoped(name: str) -> str:
    text = (HERE / f"{name}.js").read_text("utf-8")
    exported = ", ".join(re.findall(r"^export (?:function|const) (\w+)", text, flags=re.MULTILINE))
    text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
    text = re.sub(r'^import (.*) from "\./(\w+)\.js";$', r"const \1 = \2_module;", text, flags=re.MULTILINE)
    return f"const {name}_module = (() => {{\n{text}\nreturn {{ {exported} }};\n}})();"


# What the two elements run. The second, which is sent at every move, finds the first's functions under a global name.
_POOL_SCRIPT = f"""
const STYLE = {json.dumps((HERE / "balancer.css").read_text("utf-8"))};
{script()}
globalThis.pricerBalancer ??= Promise.withResolvers();
globalThis.pricerBalancer.resolve(balancer_module.showBalancer);
export default ({{ data }}) => balancer_module.keepPool(data);
"""
_SCRIPT = """
globalThis.pricerBalancer ??= Promise.withResolvers();
export default (component) => globalThis.pricerBalancer.promise.then((show) => show(component));
"""
_send_pool = st.components.v2.component("pricer_balancer_pool", js=_POOL_SCRIPT)
_show = st.components.v2.component("pricer_balancer", js=_SCRIPT)


def pool_data(catalogue: Catalogue, index: PoolIndex) -> dict[str, Any]:
    """What the browser knows of a pool: items by slot and category, the mean price of each slot, and slider ends."""
    counts = index.counts.astype("<u4")
    counts[:LOWEST_SLOT] = 0
    means = index.prices.sum(axis=1) / np.maximum(1, index.counts.sum(axis=1))
    usual = preset("scaled", index.counts, index.categories)
    return {
        "hash": f"{catalogue.label} {catalogue.manifest.content_hash}",
        "generated": catalogue.manifest.generated,
        "names": [category_name(name) for name in index.categories],
        "counts": base64.b64encode(counts.tobytes()).decode(),
        "prices": means.round(4).tolist(),
        "sliders": slider_count(len(index.categories)),
        "most_cap": highest_cap(usual.cap),
        "usual": {"cutoff": usual.cutoff, "cap": usual.cap},
    }


def slider_count(categories: int) -> int:
    """How many of the largest categories show their slider at once: all of them where one more does it."""
    return categories if categories <= MOST_SLIDERS + 1 else MOST_SLIDERS


def highest_cap(usual_cap: int) -> int:
    """Where the cap's slider ends: at four times the scaled recipe's cap, rounded up."""
    step = round(max(1, round_step(4 * usual_cap, 5)))
    return max(10, step * -(-4 * usual_cap // step))


def plan_data(plan: Plan) -> dict[str, Any]:
    """The exact numbers that take the place of the browser's."""
    return {
        "slots": plan.counts.sum(axis=1).tolist(),
        "categories": plan.counts.sum(axis=0).tolist(),
        "price_mean": plan.price_mean if plan.size else None,
        "capped": plan.capped_slots,
    }


def show(pool: dict[str, Any], data: dict[str, Any], on_hand: Callable[[], None]) -> None:
    """Show the balancer of a pool; `on_hand` is called when a hand has let go, and `hand()` says what is set then."""
    _send_pool(key=POOL_KEY, data=pool, height=1)
    _show(key=KEY, data={"pool": pool["hash"], **data}, on_hand_change=on_hand)


def hand() -> dict[str, Any]:
    """What the browser told last: the turn and the move, settings, view, and the place in history that is asked for."""
    return st.session_state[KEY].get("hand") or {}
