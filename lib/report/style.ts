// The report's style sheet: one column of slices, images on black, light and dark.

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2027; --soft: #5b6573; --rule: #dfe3e8;
  --training: #8595a8; --held-out: #c2570c; --mark: #0f766e;
  --good: #0f766e; --good-back: #d5f0ec; --plain: #475569; --plain-back: #e6eaef;
  --warn: #92560a; --warn-back: #fbecd0; --bad: #b3261e; --bad-back: #fbdedb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101317; --card: #181c22; --ink: #e6e9ee; --soft: #98a3b1; --rule: #2b323b;
    --training: #77889c; --held-out: #f0913f; --mark: #4cc4b6;
    --good: #6fd6c9; --good-back: #123a37; --plain: #b6c1cf; --plain-back: #2a323c;
    --warn: #f2bd6b; --warn-back: #40300f; --bad: #f49a92; --bad-back: #481c19;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 88rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.65rem; line-height: 1.2; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 1.1rem; }
.facts { margin: 0 0 1.5rem; color: var(--soft); overflow-wrap: anywhere; }
section { margin: 0 0 1.25rem; padding: 1.1rem 1.25rem 1.25rem; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
.head { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .8rem; margin-bottom: .8rem; }
.note { color: var(--soft); font-size: .87rem; }
.wide { overflow-x: auto; }
.columns { display: grid; grid-template-columns: repeat(var(--n), minmax(9rem, 22rem)); gap: .45rem .7rem; }
.columns.wrapped { grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); row-gap: .3rem; }
.columns.wrapped .figures { margin-bottom: 1rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(30rem, 100%), 1fr)); gap: 0 1.5rem; }
.charts h3, .tables h3 { margin: 1rem 0 0; font-size: .95rem; }
.missed { color: var(--bad); font-weight: 700; } .met { color: var(--good); font-weight: 600; }
figure { display: grid; grid-row: span 4; grid-template-rows: subgrid; margin: 0; min-width: 0; }
figure img { display: block; width: 100%; background: #000; border-radius: 4px; }
figcaption { align-self: end; font-weight: 600; overflow-wrap: anywhere; }
.figures { margin: 0; color: var(--soft); font-size: .84rem; font-variant-numeric: tabular-nums; }
.figures b { color: var(--ink); font-weight: 600; }
.scale { color: var(--soft); font-size: .84rem; }
.scale i { display: block; height: .7rem; margin-bottom: .2rem; border-radius: 3px; }
.scale span { display: flex; justify-content: space-between; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem 1.2rem .3rem 0; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
thead th { color: var(--soft); font-weight: 500; font-size: .87rem; }
td.best { font-weight: 700; color: var(--good); }
.badge { padding: .1rem .6rem; border-radius: 99px; font-size: .84rem; font-weight: 600; }
.adapted { color: var(--good); background: var(--good-back); }
.not-needed { color: var(--plain); background: var(--plain-back); }
.stopped-early { color: var(--warn); background: var(--warn-back); }
.diverged { color: var(--bad); background: var(--bad-back); }
.chart { display: block; width: 100%; max-width: 44rem; margin-top: 1rem; }
.chart text { fill: var(--soft); font-size: 12px; font-family: inherit; }
.chart .grid { stroke: var(--rule); } .chart .axis { stroke: var(--soft); }
.chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.chart .line.training { stroke: var(--training); stroke-dasharray: 5 4; } .chart .line.held-out { stroke: var(--held-out); }
.chart .dot.training { fill: var(--training); } .chart .dot.held-out { fill: var(--held-out); }
.chart .strip-dot { fill: var(--held-out); fill-opacity: .55; } .chart .strip-mean { stroke: var(--ink); stroke-width: 2; }
.chart .row-name { fill: var(--ink); }
.chart .legend { fill: var(--ink); }
.chart .mark { stroke: var(--mark); stroke-width: 1.5; } .chart .mark-dot { fill: var(--card); stroke: var(--mark); stroke-width: 2.5; }
.chart .mark-text { fill: var(--mark); font-weight: 600; }
details summary { cursor: pointer; font-weight: 600; }
pre { margin: .7rem 0 0; overflow-x: auto; font: 12.5px/1.5 ui-monospace, "SF Mono", Consolas, monospace; }
footer { color: var(--soft); font-size: .84rem; }
@media print { body { max-width: none; } section { break-inside: avoid; } }
`;
