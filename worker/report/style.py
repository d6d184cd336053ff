"""The page's style: one column, quiet paper, colours that hold in light, in dark and for the colour-blind."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark;
  --paper: #fdfdfc; --wash: #f3f5f7; --line: #dfe4e9; --ink: #17212b; --soft: #586776;
  --upswell: #0b5fcc; --seats: #c2560a; --recipe: #8a3fb5; --segment: #1f7a68;
  --good: #187a48; --fair: #946200; --poor: #b3261e;
  --good-wash: #e8f4ed; --fair-wash: #fbf2dc; --poor-wash: #fbe9e7; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #10161d; --wash: #18212b; --line: #2b3845; --ink: #e7edf3; --soft: #9fb1c2;
  --upswell: #6db2ff; --seats: #ffa864; --recipe: #d0a2ff; --segment: #63d1b8;
  --good: #62d394; --fair: #f1c453; --poor: #ff9087;
  --good-wash: #14301f; --fair-wash: #33290f; --poor-wash: #3b1b18; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.55;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  font-variant-numeric: tabular-nums; }
main, header, footer { max-width: 66rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 3.5rem; }
.eyebrow { margin: 0; color: var(--soft); font-size: .8rem; font-weight: 600; letter-spacing: .08em;
  text-transform: uppercase; }
h1 { margin: .5rem 0 .75rem; max-width: 24em; font-size: clamp(1.9rem, 5vw, 2.9rem); line-height: 1.12;
  letter-spacing: -.025em; font-weight: 700; text-wrap: balance; }
h1 .mark { display: inline-block; width: .5em; height: .5em; margin-right: .38em; border-radius: 50%;
  vertical-align: .1em; }
.good .mark { background: var(--good); } .fair .mark { background: var(--fair); }
.poor .mark { background: var(--poor); }
.lede { margin: 0 0 .75rem; max-width: 40em; font-size: 1.2rem; line-height: 1.5; }
.meta { margin: 0 0 .5rem; max-width: 46em; color: var(--soft); font-size: .93rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: 1px;
  margin: 2.25rem 0 0; border: 1px solid var(--line); border-radius: 12px; overflow: hidden;
  background: var(--line); }
.tile { padding: 1.1rem 1.25rem 1.2rem; background: var(--paper); }
.tile b { display: block; margin: .15rem 0 .1rem; font-size: 2.1rem; line-height: 1.15; font-weight: 650;
  letter-spacing: -.02em; }
.tile span { display: block; color: var(--soft); font-size: .87rem; line-height: 1.4; }
.tile .name { color: var(--ink); font-weight: 600; }
nav { display: flex; gap: .4rem 1.3rem; flex-wrap: wrap; margin-top: 1.75rem; padding-bottom: .9rem;
  border-bottom: 1px solid var(--line); font-size: .93rem; }
a { color: var(--upswell); text-decoration: none; } a:hover { text-decoration: underline; }
section { padding-top: 2.75rem; }
h2 { margin: 0 0 .35rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.015em; font-weight: 680; }
h3 { margin: 2rem 0 .5rem; font-size: 1.05rem; font-weight: 650; }
section > p { margin: 0 0 1rem; max-width: 44em; }
.soft, figcaption, .note { color: var(--soft); font-size: .93rem; }
.note { margin: 1.1rem 0 0; padding-left: .9rem; border-left: 3px solid var(--line); }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1rem;
  margin: 1.25rem 0 0; padding: 0; list-style: none; }
.answers li { padding: 1rem 1.15rem 1.1rem; border-radius: 10px; background: var(--wash); }
.answers .tone { float: right; margin: .1rem 0 .3rem .75rem; padding: .05rem .6rem; border-radius: 99px;
  font-size: .8rem; font-weight: 650; }
.good .tone { color: var(--good); background: var(--good-wash); }
.fair .tone { color: var(--fair); background: var(--fair-wash); }
.poor .tone { color: var(--poor); background: var(--poor-wash); }
.answers h3 { margin: 0 0 .3rem; } .answers p { margin: 0; font-size: .95rem; }
.todo { margin: .75rem 0 0; padding: 0; max-width: 46em; list-style: none; counter-reset: todo; }
.todo li { position: relative; padding: .3rem 0 .3rem 2.3rem; counter-increment: todo; }
.todo li::before { content: counter(todo); position: absolute; left: 0; top: .38rem; width: 1.5rem;
  height: 1.5rem; border-radius: 50%; background: var(--wash); color: var(--soft); font-size: .82rem;
  font-weight: 650; line-height: 1.5rem; text-align: center; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr));
  gap: 1.5rem 2.5rem; margin-top: 1.25rem; align-items: start; }
figure { margin: 0; min-width: 0; } figcaption { margin-top: .4rem; }
svg.chart { display: block; width: 100%; max-width: 34rem; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
.grid { stroke: var(--line); } .chance { stroke: var(--soft); stroke-dasharray: 3 4; fill: none; }
svg polyline { fill: none; stroke-linejoin: round; stroke-linecap: round; }
.upswell polyline { stroke: var(--upswell); stroke-width: 3; } .upswell circle { fill: var(--upswell); }
.seat_rule polyline { stroke: var(--seats); stroke-width: 2; stroke-dasharray: 8 4; }
.blog_recipe polyline { stroke: var(--recipe); stroke-width: 2; stroke-dasharray: 2 4; }
.last_quarter polyline { stroke: var(--segment); stroke-width: 2; stroke-dasharray: 9 4 2 4; }
.hit line { stroke: var(--upswell); stroke-width: 2; } .hit circle { fill: var(--upswell); }
.miss line { stroke: var(--poor); stroke-width: 2; }
.miss circle { fill: var(--paper); stroke: var(--poor); stroke-width: 2.5; }
.said { stroke: var(--ink); stroke-width: 2; }
.interval { display: inline-block; vertical-align: middle; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .9rem 0 0; padding: 0; list-style: none;
  color: var(--soft); font-size: .87rem; }
.legend svg { margin-right: .4rem; vertical-align: middle; }
.scroll { overflow-x: auto; margin-top: .75rem;
  background: linear-gradient(90deg, var(--paper) 45%, transparent) 0 0 / 2.5rem 100% no-repeat local,
    linear-gradient(270deg, var(--paper) 45%, transparent) 100% 0 / 2.5rem 100% no-repeat local,
    linear-gradient(90deg, var(--line), transparent) 0 0 / .9rem 100% no-repeat scroll,
    linear-gradient(270deg, var(--line), transparent) 100% 0 / .9rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-size: .93rem; }
th, td { padding: .42rem .95rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
.wordy td:first-child { white-space: normal; }
th:last-child, td:last-child { padding-right: .2rem; }
.wide table { width: 100%; } .wide th, .wide td { padding-left: .4rem; padding-right: .4rem; }
.wide th:first-child, .wide td:first-child { padding-left: 0; } .pair h3 { margin-top: .6rem; }
 .scroll + .soft, .pair + .soft { margin-top: .7rem; }
th { color: var(--soft); font-size: .84rem; font-weight: 600; } tbody tr:last-child td { border-bottom: 0; }
tr.ours td { font-weight: 650; } td.best { color: var(--upswell); }
td.text { white-space: normal; min-width: 15rem; text-align: left; }
details { margin-top: 1rem; } summary { cursor: pointer; color: var(--upswell); font-size: .93rem; }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .35rem .9rem;
  align-items: center; margin-top: .9rem; max-width: 40rem; font-size: .93rem; }
.bars i { display: block; height: .72rem; border-radius: 3px; background: var(--upswell); }
.bars b { font-weight: 600; text-align: right; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: 1.25rem 1.75rem;
  margin-top: 1rem; }
.curves svg { display: block; width: 100%; border-bottom: 1px solid var(--line); background: var(--wash);
  border-radius: 6px 6px 0 0; }
.curves h4 { display: flex; justify-content: space-between; gap: .75rem; margin: 0 0 .35rem;
  font-size: .92rem; line-height: 1.3; font-weight: 620; align-items: end; }
.curves h4 span + span { color: var(--soft); font-size: .8rem; font-weight: 400; white-space: nowrap; }
.ends { display: flex; justify-content: space-between; gap: .5rem; color: var(--soft); font-size: .8rem; }
.swarm { display: block; width: 100%; max-width: 46rem; height: auto; }
.key { display: inline-block; width: 5rem; height: .55rem; margin: 0 .4rem; border-radius: 3px;
  background: linear-gradient(90deg, #008bfb, #8a5bd6, #ff0051); vertical-align: middle; }
code { font: .92em ui-monospace, SFMono-Regular, Menlo, monospace; overflow-wrap: anywhere; }
footer { margin-top: 3.5rem; padding-top: 1.25rem; padding-bottom: 3rem; border-top: 1px solid var(--line);
  color: var(--soft); font-size: .87rem; }
@media (max-width: 40rem) { main, header, footer { padding-left: 1.05rem; padding-right: 1.05rem; }
  header { padding-top: 2rem; } .lede { font-size: 1.08rem; } section { padding-top: 2.25rem; }
  .tiles { grid-template-columns: 1fr 1fr; } .tile { padding: .85rem .95rem; } .tile b { font-size: 1.65rem; }
  th, td { padding: .42rem .5rem; }
  .bars { grid-template-columns: 1fr max-content; row-gap: .1rem; }
  .bars .track { grid-column: 1 / -1; grid-row: auto; margin-bottom: .45rem; } }
@media print { nav { display: none; } section { break-inside: avoid; } body { font-size: 13px; } }
"""
