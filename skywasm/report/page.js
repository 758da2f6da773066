"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 40rem)");
  const config = { displayModeBar: false, responsive: true, showTips: false };

  const merged = (base, over) => {
    const result = { ...base };
    for (const [key, value] of Object.entries(over)) {
      const both = value && result[key] && typeof value === "object" && !Array.isArray(value);
      result[key] = both ? merged(result[key], value) : value;
    }
    return result;
  };

  /* The colours are the page's: one place says what they are in light and in dark. */
  const palette = () => {
    const style = getComputedStyle(document.documentElement);
    return (name) => style.getPropertyValue("--" + name).trim();
  };

  const styledTrace = (trace, color) => {
    const own = color(trace.meta);
    if (trace.type === "bar") {
      return merged(trace, { marker: { color: own } });
    }
    const looks = {
      asked: { marker: { color: own } },
      auto: { line: { color: own, width: 9, shape: "linear" }, hoverinfo: "skip", hovertemplate: null },
      before: { line: { color: own, width: 2, dash: "dash" }, marker: { color: own, size: 4 } },
      python: { line: { color: own, width: 2 }, marker: { color: own, size: 5, symbol: "diamond" } },
      wasm: { line: { color: own, width: 2 }, marker: { color: own, size: 5 } },
    };
    if (trace.name === "break-even") {
      return merged(trace, { marker: { color: own, line: { color: own } }, textfont: { color: own, size: 12 } });
    }
    return merged(trace, looks[trace.meta] || {});
  };

  const styledLayout = (layout, color) => {
    const axis = {
      gridcolor: color("grid"),
      linecolor: color("rule"),
      zerolinecolor: color("rule"),
      tickfont: { color: color("soft"), size: 11.5 },
    };
    const ink = { color: color("soft"), size: 12 };
    const over = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { ...ink, family: getComputedStyle(document.body).fontFamily },
      dragmode: false,
      hoverlabel: { bgcolor: color("panel"), bordercolor: color("rule"), font: { color: color("ink") } },
      xaxis: axis,
      yaxis: axis,
    };
    const result = merged(layout, over);
    /* Where labels stand above the bars they interrupt the line at 1. */
    result.annotations = (layout.annotations || []).map((note) => ({ ...note, bgcolor: color("page") }));
    result.shapes = (layout.shapes || []).map((shape) => merged(shape, { line: { color: color("ink"), width: 2 } }));
    return result;
  };

  const draw = () => {
    const color = palette();
    for (const [id, figure] of Object.entries(figures)) {
      const layout = narrow.matches ? merged(figure.layout, figure.narrow) : figure.layout;
      const traces = figure.data.map((trace) => styledTrace(trace, color));
      Plotly.react(id, traces, styledLayout(layout, color), config);
    }
  };
  draw();
  dark.addEventListener("change", draw);
  narrow.addEventListener("change", draw);

  const table = document.querySelector("table");
  if (!table) {
    return;
  }
  const heads = [...table.tHead.rows[0].cells];
  const collator = new Intl.Collator("en", { numeric: true });
  const sort = (column) => {
    const up = heads[column].getAttribute("aria-sort") !== "ascending";
    const sign = up ? 1 : -1;
    const number = heads[column].classList.contains("number");
    const key = (row) => row.cells[column].dataset.key;
    const order = (a, b) => (number ? Number(key(a)) - Number(key(b)) : collator.compare(key(a), key(b)));
    const body = table.tBodies[0];
    body.append(...[...body.rows].sort((a, b) => sign * order(a, b)));
    heads.forEach((head, index) => {
      head.setAttribute("aria-sort", index === column ? (up ? "ascending" : "descending") : "none");
    });
    const label = heads[column].textContent.trim();
    document.getElementById("sorted").textContent = `Sorted by ${label}, ${up ? "ascending" : "descending"}`;
  };
  heads.forEach((head, index) => head.querySelector("button").addEventListener("click", () => sort(index)));
})();
