"""Light or dark: which look the browser shows, the style sheet of Pricer's own elements, and what notices a change."""

from pathlib import Path

import streamlit as st

from pricer.figures.palette import DARK, FAMILIES, LIGHT, Look

# A theme that is switched by menu or by the system restyles the page but does not run it again: charts would keep the
# colours of the old one. This watches the page's colour scheme and asks for a rerun.
_watch = st.components.v2.component(
    "pricer_look",
    js="""
    export default function ({ setTriggerValue }) {
      const page = document.querySelector('[data-testid="stApp"]');
      const read = () => getComputedStyle(page).colorScheme;
      let seen = read();
      const observer = new MutationObserver(() => {
        if (read() !== seen) setTriggerValue("look", (seen = read()));
      });
      observer.observe(page, { attributes: true });
      return () => observer.disconnect();
    }
    """,
)


def look() -> Look:
    """The look of this browser's page, as figures take it."""
    return "dark" if st.context.theme.type == "dark" else "light"


def follow_look() -> None:
    """Run the page again when its look changes; put this in the sidebar, once."""
    _watch(key="look_watcher", height=1, on_look_change=lambda: None)


def style_sheet() -> str:
    """The rules of `pricer.css`, and the palette as variables; `light-dark()` follows the theme without a rerun."""
    colours = "".join(
        f"--pr-{name.replace('_', '-')}: light-dark({getattr(LIGHT, name)}, {getattr(DARK, name)});"
        for name in _USED_COLOURS
    )
    colours += "".join(
        f"--pr-family-{name}: light-dark({LIGHT.family(name)}, {DARK.family(name)});" for name in FAMILIES
    )
    return f'<style>[data-testid="stApp"] {{{colours}}}\n{_RULES.read_text("utf-8")}</style>'


_RULES = Path(__file__).with_name("pricer.css")
_USED_COLOURS = (
    *("paper", "panel", "ink", "quiet", "grid", "axis", "faint", "before", "before_fill", "before_outline", "after"),
    *("tag", "tag_ink", "good", "good_text", "fair", "fair_text", "poor", "poor_text"),
)
