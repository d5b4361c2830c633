"""Which pages there are, in which order; run by every visit before the page itself."""

from pathlib import Path

import streamlit as st

from pages.shared import look, shelf, state
from pages.shared.settling import settle
from pages.shared.widgets import plain
from pricer.errors import PricerError

HERE = Path(__file__).parent
SIDEBAR = 236  # pixels wide

st.set_page_config(
    page_title="Pricer", page_icon=str(HERE / "static/icon.svg"), layout="wide", initial_sidebar_state=SIDEBAR
)
state.start()
page = st.navigation(
    {
        "": [st.Page("home.py", title="Home", icon=":material/home:", default=True)],
        "Data": [
            st.Page("data/catalogue.py", title="Catalogue", icon=":material/inventory_2:", url_path="catalogue"),
            st.Page("data/curate.py", title="Curate", icon=":material/tune:", url_path="curate"),
            st.Page("data/publish.py", title="Publish", icon=":material/upload:", url_path="publish"),
        ],
        "Models": [
            st.Page("models/train.py", title="Train", icon=":material/model_training:", url_path="train"),
            st.Page("models/tune.py", title="Tune", icon=":material/build:", url_path="tune"),
            st.Page("models/runs.py", title="Runs", icon=":material/timeline:", url_path="runs"),
        ],
        "Results": [
            st.Page("results/compare.py", title="Compare", icon=":material/leaderboard:", url_path="compare"),
            st.Page("results/predict.py", title="Predict", icon=":material/sell:", url_path="predict"),
            st.Page("results/metrics.py", title="The figures of Compare", url_path="metrics", visibility="hidden"),
        ],
    },
    expanded=True,
)
state.note_page(page.url_path)
st.logo(str(HERE / "static/logo.svg"), icon_image=str(HERE / "static/icon.svg"), size="large")
st.html(look.style_sheet())
with st.sidebar:
    look.follow_look()
try:
    with st.sidebar:
        shelf.show()
    page.run()
except PricerError as error:
    st.error(plain(str(error)), icon=":material/error:")
settle(page.url_path)
