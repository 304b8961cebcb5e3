"""The look of the report: one style sheet for light and dark, no fonts or files from elsewhere."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1f2328; --soft: #616873; --line: #e3e0d8;
  --accent: #a8552f; --bar: #c98a63; --bar-held: #8fa6b8;
  --error: #b3261e; --warning: #9a6700; --info: #3f6b8f;
  --learnt: #4e9a51; --trained: #d8ecd5; --special: #e4ddf2; --truncated: #f6d9d5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #17181a; --card: #1f2124; --ink: #e6e4df; --soft: #a0a4ab; --line: #34373c;
    --accent: #e09a73; --bar: #b5754f; --bar-held: #5f7a90;
    --error: #f2877d; --warning: #e0b04a; --info: #85b4d8;
    --learnt: #63b368; --trained: #23452a; --special: #3a3054; --truncated: #57302c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main { max-width: 62rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 0.35rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; letter-spacing: -0.005em; margin: 3rem 0 0.9rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: 0.35rem 0; max-width: 44rem; }
.soft, figcaption { color: var(--soft); font-size: 0.88rem; }
.tiles { display: flex; flex-wrap: wrap; gap: 0.75rem; margin-top: 1.6rem; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 0.8rem 1rem; flex: 1 1 7.5rem; }
.tile b { display: block; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 0.85rem; }
.card { padding: 1rem 1.15rem; margin: 0.8rem 0; }
figure { margin: 0.8rem 0; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
svg .bar { fill: var(--bar); } svg .held { fill: var(--bar-held); }
svg .axis { stroke: var(--line); } svg .mark { stroke: var(--accent); stroke-dasharray: 4 3; }
svg .marked { fill: var(--accent); }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.4rem 0.75rem 0.4rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; color: var(--soft); font-size: 0.82rem; }
.number { text-align: right; white-space: nowrap; }
.finding { border-left: 4px solid var(--info); }
.finding.error { border-left-color: var(--error); } .finding.warning { border-left-color: var(--warning); }
.badge { font-size: 0.78rem; font-weight: 600; color: var(--info); margin-left: 0.5rem; }
.error > header .badge { color: var(--error); } .warning > header .badge { color: var(--warning); }
.finding header { display: flex; flex-wrap: wrap; align-items: baseline; }
.row { border-top: 1px solid var(--line); margin-top: 0.8rem; padding-top: 0.7rem; }
.card > .row:first-child { border-top: 0; margin-top: 0; padding-top: 0; }
.turn { margin: 0.35rem 0; } .role { color: var(--soft); font-size: 0.8rem; font-weight: 600; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; font-size: 0.92rem; }
.pair { display: flex; flex-wrap: wrap; gap: 0 1.5rem; } .pair > .row { flex: 1 1 18rem; min-width: 0; }
.tokens { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; line-height: 1.75;
  font: 0.86rem/1.75 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.tokens span, .legend span { border-radius: 3px; padding: 0.08em 0; box-shadow: inset -1px 0 0 var(--card); }
.trained { background: var(--trained); } .special { background: var(--special); }
.special.trained { border-bottom: 2px solid var(--learnt); }
.truncated { background: var(--truncated); text-decoration: line-through; } .masked { color: var(--soft); }
.legend { display: flex; flex-wrap: wrap; gap: 1.1rem; font-size: 0.85rem; }
.legend span { padding: 0.1em 0.5em; }
footer { margin-top: 3.5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
code { font: 0.85em ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
@media print { .card, .tile { break-inside: avoid; } main { padding: 0; max-width: none; } }
"""
