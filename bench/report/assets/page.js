"use strict";
(() => {
  const reports = JSON.parse(document.getElementById("data").textContent);
  const plots = document.getElementById("plots");
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f"];
  const two = reports.length > 1;
  const label = (i) => (two ? "AB"[i] + " " : "");

  const number = (v) => {
    if (v == null) return "–";
    if (v === 0) return "0";
    const a = Math.abs(v);
    return a >= 1000 ? Math.round(v).toLocaleString("en") : String(+v.toPrecision(3));
  };

  // plot draws one chart: x values, series {name, values, dash, fill, points}, and what the axes mean.
  const plot = (grid, title, o) => {
    const series = o.series.filter((s) => s.values.some((v) => v != null));
    if (!series.length) return;
    const figure = document.createElement("figure");
    const heading = document.createElement("h3");
    heading.textContent = title;
    figure.append(heading);
    grid.append(figure);
    const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 }, font: "12px system-ui", labelFont: "12px system-ui", labelSize: 18 };
    const options = {
      width: figure.clientWidth || 560, height: 280,
      scales: { x: { time: false, range: o.xRange }, y: o.log ? { distr: 3, log: 10 } : { range: (u, min, max) => [0, o.yMax || (max > 0 ? max * 1.08 : 1)] } },
      axes: [
        { ...axis, label: o.x, splits: o.xSplits, values: o.xValues || ((u, vs) => vs.map((v) => (v == null ? "" : number(v)))) },
        { ...axis, label: o.y, size: 64, values: (u, vs) => vs.map((v) => (v == null ? "" : number(v))) },
      ],
      series: [
        { label: o.xName || "at", value: (u, v) => (v == null ? "–" : o.xValue ? o.xValue(v) : number(v)) },
        ...series.map((s, i) => {
          const stroke = s.color || palette[i % palette.length];
          return { label: s.name, stroke, width: 1.75, dash: s.dash, spanGaps: true, paths: s.paths, points: s.points || { show: o.xs.length < 3 }, value: (u, v) => (v == null ? "–" : number(v) + (o.unit ? " " + o.unit : "")) };
        }),
      ],
    };
    const chart = new uPlot(options, [o.xs, ...series.map((s) => s.values)], figure);
    new ResizeObserver(() => {
      if (figure.clientWidth && figure.clientWidth !== chart.width) chart.setSize({ width: figure.clientWidth, height: 280 });
    }).observe(figure);
  };

  // Percentiles stand at log10(1/(1-p)): 90 % at 1, 99 % at 2, 99.9 % at 3.
  const nines = (x) => +(100 * (1 - Math.pow(10, -x))).toFixed(Math.max(0, Math.ceil(x) - 1));
  const percentiles = (grid, title, curves) => {
    const longest = Math.max(...curves.map((c) => c.points.length));
    if (longest < 2) return;
    const xs = Array.from({ length: longest }, (_, i) => i / 10);
    plot(grid, title, {
      xs, x: "percentile of answers (%)", y: "latency (ms)", unit: "ms", log: true, xName: "percentile",
      xRange: () => [0, (longest - 1) / 10],
      xSplits: () => [0, 0.30103, ...Array.from({ length: 6 }, (_, i) => i + 1)].filter((x) => x <= (longest - 1) / 10 + 0.001),
      xValues: (u, vs) => vs.map((x) => (Math.abs(x - 0.30103) < 0.001 ? "50" : x === 0 ? "0" : String(nines(x)))),
      xValue: (x) => (100 * (1 - Math.pow(10, -x))).toPrecision(x > 3 ? 6 : 4) + " %",
      series: curves.map((c) => ({ name: c.name, dash: c.dash, color: c.color, values: xs.map((_, i) => (i < c.points.length ? Math.max(c.points[i].ms, 0.001) : null)) })),
    });
  };

  const steps = (n, seconds) => Array.from({ length: n }, (_, i) => +((i + 0.5) * seconds).toFixed(3));
  const orNull = (values) => values.map((v) => (v > 0 ? v : null));
  const rate = (counts, seconds) => counts.map((n) => n / seconds);
  // The last step is rarely whole, and would look like a fall.
  const wholeOf = (phase) => (values) => values.map((v, i) => ((i + 1) * phase.series.step_seconds <= phase.seconds + 0.001 || i === 0 ? v : null));
  const share = (hits, answers) => hits.map((h, i) => (answers[i] ? (100 * h) / answers[i] : null));
  const verdicts = (phase) => Object.keys(phase.cache || {}).sort();

  const section = (title) => {
    const heading = document.createElement("h2");
    heading.textContent = title;
    const grid = document.createElement("div");
    grid.className = "grid";
    plots.append(heading, grid);
    return grid;
  };

  const time = { x: "time since the phase began (s)", xValue: (v) => number(v) + " s" };

  const one = (grid, phase) => {
    const curves = [{ name: "all", points: phase.percentiles }];
    if (verdicts(phase).length > 1) verdicts(phase).forEach((v) => curves.push({ name: v, points: phase.cache[v].percentiles }));
    if (phase.offered_per_second > 0) curves.push({ name: "all, from sending", points: phase.service_percentiles, dash: [6, 4], color: palette[7] });
    percentiles(grid, "Latency by percentile and cache verdict", curves);

    const s = phase.series, xs = steps(s.answers.length, s.step_seconds), whole = wholeOf(phase);
    plot(grid, "Latency over time", {
      ...time, xs, y: "latency (ms)", unit: "ms", log: true,
      series: [{ name: "p50", values: orNull(s.p50_ms) }, { name: "p99", values: orNull(s.p99_ms) }, { name: "max", values: orNull(s.max_ms), color: palette[7], dash: [3, 3] }],
    });
    plot(grid, "Median latency over time by cache verdict", {
      ...time, xs, y: "p50 latency (ms)", unit: "ms", log: true,
      series: verdicts(phase).map((v) => ({ name: v, values: orNull(s.cache[v].p50_ms), points: { show: true, size: 4 } })),
    });
    plot(grid, "Throughput over time", {
      ...time, xs, y: "answers per second", unit: "/s",
      series: [...(verdicts(phase).length > 1 ? verdicts(phase).map((v) => ({ name: v, values: whole(rate(s.cache[v].answers, s.step_seconds)) })) : []),
        { name: "all", values: whole(rate(s.answers, s.step_seconds)), color: verdicts(phase).length > 1 ? palette[7] : palette[0], dash: verdicts(phase).length > 1 ? [6, 4] : undefined },
        ...(s.errors.some((n) => n) ? [{ name: "no answer", values: rate(s.errors, s.step_seconds), color: color("--bad") }] : [])],
    });
    plot(grid, "Hit ratio over time", { ...time, xs, y: "answers from a cache (%)", unit: "%", yMax: 105, series: [{ name: "hits", values: share(s.hits, s.answers) }] });
    if (phase.ramp) ramp(grid, phase.ramp);
    if (phase.process) processes(grid, phase.process);
  };

  const ramp = (grid, r) => {
    const tried = [...r.steps].sort((a, b) => a.offered_per_second - b.offered_per_second);
    const dots = (keep) => tried.map((s) => (keep(s) ? Math.max(s.at_goal_ms, 0.001) : null));
    const points = { show: true, size: 8 };
    plot(grid, "Ramp: latency at the goal's percentile by rate", {
      xs: tried.map((s) => s.offered_per_second), x: "offered rate (requests per second)", y: "p" + r.goal_percent + " latency (ms)", xName: "/s", unit: "ms", log: true,
      series: [{ name: "within the goal", values: dots((s) => s.passed), color: palette[2], points, paths: () => null }, { name: "not", values: dots((s) => !s.passed), color: palette[1], points, paths: () => null },
        { name: "goal", values: tried.map(() => r.goal_ms), color: palette[7], dash: [6, 4] }],
    });
  };

  const processes = (grid, p) => {
    const xs = p.sample_at_seconds || [];
    if (xs.length < 2) return;
    const cores = xs.map((t, i) => (i && t - xs[i - 1] > 0.2 ? (p.sample_cpu_seconds[i] - p.sample_cpu_seconds[i - 1]) / (t - xs[i - 1]) : null));
    plot(grid, "CPU of the server's processes", { ...time, xs, y: "cores in use", series: [{ name: "cores", values: cores }] });
    const mib = (values) => values.map((v) => (v ? v / 1048576 : null));
    plot(grid, "Memory of the server's processes", { ...time, xs, y: "memory (MiB)", unit: "MiB", series: [{ name: "RSS", values: mib(p.sample_rss_bytes) }, { name: "PSS", values: mib(p.sample_pss_bytes) }] });
  };

  // both draws phases of one name over each other.
  const both = (grid, phases) => {
    percentiles(grid, "Latency by percentile", phases.map((p, i) => ({ name: label(i) + reports[i].name, points: p.percentiles })));
    const longest = phases.reduce((a, b) => (a.series.answers.length * a.series.step_seconds >= b.series.answers.length * b.series.step_seconds ? a : b)).series;
    const xs = steps(longest.answers.length, longest.step_seconds);
    const over = (values) => phases.map((p, i) => {
      const v = values(p.series, wholeOf(p));
      return { name: label(i) + reports[i].name, values: xs.map((x) => { const k = Math.floor(x / p.series.step_seconds); return k < v.length ? v[k] : null; }) };
    });
    plot(grid, "Median latency over time", { ...time, xs, y: "p50 latency (ms)", unit: "ms", log: true, series: over((s) => orNull(s.p50_ms)) });
    plot(grid, "p99 latency over time", { ...time, xs, y: "p99 latency (ms)", unit: "ms", log: true, series: over((s) => orNull(s.p99_ms)) });
    plot(grid, "Throughput over time", { ...time, xs, y: "answers per second", unit: "/s", series: over((s, whole) => whole(rate(s.answers, s.step_seconds))) });
    plot(grid, "Hit ratio over time", { ...time, xs, y: "answers from a cache (%)", unit: "%", yMax: 105, series: over((s) => share(s.hits, s.answers)) });
  };

  if (two) {
    reports[0].phases.forEach((phase) => {
      const other = reports[1].phases.find((p) => p.name === phase.name);
      if (other) both(section("A and B: " + phase.name), [phase, other]);
    });
  }
  reports.forEach((r, i) => r.phases.forEach((phase) => one(section(label(i) + phase.name), phase)));
})();
