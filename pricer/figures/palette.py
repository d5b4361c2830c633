"""The colours of Pricer, light and dark: one meaning each, the same as in `.streamlit/config.toml`."""

from dataclasses import dataclass
from typing import Literal

Look = Literal["light", "dark"]

# The families of models, in the order of a palette's `families`, each with its Plotly symbol: colour is never alone.
FAMILIES = {
    "yardstick": "line-ns",
    "words": "circle",
    "trees": "triangle-up",
    "networks": "square",
    "open-weight": "diamond",
    "hosted": "pentagon",
    "human": "star",
    "stack": "hexagon",
}


@dataclass(frozen=True)
class Palette:
    """Colours as "#RRGGBB". Before is the reference, after is what the hand made of it, the tag is the price."""

    paper: str
    panel: str
    ink: str
    quiet: str
    grid: str
    axis: str
    before: str
    after: str
    tag: str
    tag_ink: str
    good: str
    fair: str
    poor: str
    good_text: str
    fair_text: str
    poor_text: str
    faint: str
    families: tuple[str, ...]  # as in FAMILIES

    def family(self, name: str) -> str:
        return self.families[list(FAMILIES).index(name)]

    @property
    def before_fill(self) -> str:
        """Before as an area: light enough to lie behind, while its outline carries the contrast."""
        return mix(self.before, self.paper, 0.45)

    @property
    def before_outline(self) -> str:
        return mix(self.before, self.ink, 0.38)


LIGHT = Palette(
    paper="#FFFFFF",
    panel="#F1F5F6",
    ink="#16252C",
    quiet="#566870",
    grid="#E6ECEE",
    axis="#AEBBC0",
    before="#B3C0C5",
    after="#0F5F85",
    tag="#FFCF3F",
    tag_ink="#1D1A05",
    good="#0E9F7E",
    fair="#D07C00",
    poor="#9E1030",
    good_text="#08684F",
    fair_text="#874F00",
    poor_text="#9E1030",
    faint="#EBF0F1",
    families=("#8B979C", "#3F7BE0", "#5B2A80", "#BA3996", "#17756B", "#8A4420", "#7B7B16", "#17252C"),
)
DARK = Palette(
    paper="#10191E",
    panel="#1A262C",
    ink="#E8EFF1",
    quiet="#A5B6BD",
    grid="#24323A",
    axis="#4B5D66",
    before="#5E7179",
    after="#4FACDB",
    tag="#FFD24A",
    tag_ink="#1D1A05",
    good="#63D9BE",
    fair="#FFA83D",
    poor="#E8476F",
    good_text="#63D9BE",
    fair_text="#FFB65C",
    poor_text="#FF8FA8",
    faint="#223038",
    families=("#7F8E95", "#86A4F2", "#A35AF0", "#EC1E8A", "#54DDEE", "#D78559", "#CBDE7A", "#F1F6F7"),
)
PALETTES: dict[Look, Palette] = {"light": LIGHT, "dark": DARK}


def mix(colour: str, towards: str, share: float) -> str:
    """Move a colour towards another by a share from 0 to 1.

    >>> mix("#000000", "#FFFFFF", 0.5)
    '#808080'
    """
    parts = zip(_channels(colour), _channels(towards), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in parts)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
