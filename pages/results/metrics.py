"""The figures of Compare: docs/metrics.md as a page, which needs no network; linked from where figures stand."""

import re
from pathlib import Path

import streamlit as st

from pages.shared.widgets import escaped

TEXT = Path(__file__).parents[2] / "docs" / "metrics.md"
WIDTH = 760  # pixels; longer lines are hard to read

title, _, body = TEXT.read_text(encoding="utf-8").removeprefix("# ").partition("\n")
introduction, *sections = body.split("\n## ")
names = [section.partition("\n")[0] for section in sections]
anchors = [re.sub(r"\W+", "-", name.lower()).strip("-") for name in names]

st.html(f'<div class="pr-page"><h1>{escaped(title)}</h1></div>')
with st.container(width=WIDTH):
    st.page_link("results/compare.py", label="Back to Compare", icon=":material/arrow_back:")
    st.markdown(introduction)
    with st.container(horizontal=True, gap="small"):
        for name, anchor in zip(names, anchors, strict=True):
            st.markdown(f"[{name}](#{anchor})", width="content")
    for name, anchor, section in zip(names, anchors, sections, strict=True):
        st.header(name, anchor=anchor)
        st.markdown(section.partition("\n")[2])
