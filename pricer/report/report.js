// Draws the charts in the reader's look; for print in the light one, at the width of a page.
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paper = 670; // pixels of an A4 page between its margins
  let printing = false;
  const draw = () => {
    for (const place of document.querySelectorAll(".plot")) {
      const { data, layout } = charts[place.dataset.chart][dark.matches && !printing ? "dark" : "light"];
      const font = { ...layout.font, family: getComputedStyle(document.body).fontFamily };
      const width = printing ? paper : place.clientWidth;
      Plotly.react(place, data, { ...layout, font, width, autosize: false }, { displayModeBar: false, typesetMath: false });
    }
  };
  const print = (now) => {
    printing = now;
    draw();
  };
  draw();
  dark.addEventListener("change", draw);
  addEventListener("resize", draw);
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
})();
