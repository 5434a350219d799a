/* Draws the readers' charts from the table below them, in the page's colours, light or dark. */
(() => {
  const figure = document.querySelector("[data-readers]");
  if (!figure || typeof Chart === "undefined") return;
  const rows = [...figure.querySelectorAll("tbody tr")].map((row) => row.dataset);
  const day = (row) => new Date(`${row.day}T12:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const labels = rows.map(day);
  const number = (name) => rows.map((row) => Number(row[name]));
  const lost = rows.map((row) => -Number(row.left) - Number(row.suppressed));
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const colour = (name) => getComputedStyle(figure).getPropertyValue(name).trim();
  let drawn = [];

  const axes = (line, ink, whole) => ({
    x: { grid: { display: false }, border: { color: line }, stacked: !whole,
      ticks: { display: whole, color: ink, maxRotation: 0, autoSkip: true, maxTicksLimit: 7 } },
    y: { grid: { color: line }, border: { display: false }, stacked: !whole, grace: "5%",
      ticks: { color: ink, maxTicksLimit: whole ? 5 : 3, precision: 0,
        callback: (value) => Math.abs(value).toLocaleString("en-GB") },
      // Both charts begin at the same place, so that a day stands under a day.
      afterFit: (scale) => { scale.width = 56; } },
  });
  const options = (line, ink, whole) => ({
    animation: still ? false : { duration: 300 }, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
    plugins: { legend: { display: false }, tooltip: { callbacks: {
      label: (item) => ` ${item.dataset.label}: ${Math.abs(item.raw).toLocaleString("en-GB")}` } } },
    scales: axes(line, ink, whole),
  });

  function draw() {
    drawn.forEach((chart) => chart.destroy());
    const line = colour("--pb-line"), ink = colour("--pb-ink"), active = colour("--pb-active");
    Chart.defaults.font.family = "Inter, sans-serif";
    const at = (name) => figure.querySelector(`canvas[data-of="${name}"]`);
    drawn = [
      new Chart(at("active"), { type: "line", options: options(line, ink, true), data: { labels, datasets: [
        { label: "active", data: number("active"), borderColor: active, backgroundColor: `color-mix(in srgb, ${active} 14%, transparent)`,
          fill: true, borderWidth: 2, pointRadius: rows.length > 1 ? 0 : 4, pointHoverRadius: 4 }] } }),
      new Chart(at("moved"), { type: "bar", options: options(line, ink, false), data: { labels, datasets: [
        { label: "new", data: number("joined"), backgroundColor: colour("--pb-joined") },
        { label: "lost", data: lost, backgroundColor: colour("--pb-lost") }] } }),
    ];
  }

  draw();
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
})();
