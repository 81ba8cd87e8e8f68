#include "bench/report/html_style.hpp"

namespace rps::report {

// The eight colours of the lines differ for people who see red, green or blue differently as well:
// at least 10 hundredths of OKLab apart (Ottosson 2020) as seen with each kind of dichromacy
// (Machado, Oliveira, Fernandes 2009), and have a contrast of 3 or more to the ground.
std::string_view html_style() {
  return R"(
:root {
  color-scheme: light dark;
  --ground: light-dark(#ffffff, #14171c);
  --raised: light-dark(#f5f6f8, #1c2027);
  --ink: light-dark(#1b1f24, #e4e7eb);
  --soft-ink: light-dark(#555d68, #a3abb6);
  --line: light-dark(#d9dde3, #333a45);
  --grid: light-dark(#e8ebef, #262c35);
  --link: light-dark(#0b57b8, #7db4ff);
  --good: light-dark(#1b6b38, #6fd391);
  --bad: light-dark(#a32316, #ff9a8a);
  --warning: light-dark(#fff4d6, #3a2f10);
  --s0: light-dark(#013065, #6581a6);
  --s1: light-dark(#962c07, #f77821);
  --s2: light-dark(#429b9b, #5fd6a1);
  --s3: light-dark(#7f38bd, #e1a3ff);
  --s4: light-dark(#c27927, #e6ea3f);
  --s5: light-dark(#4f1a14, #d4364a);
  --s6: light-dark(#10656b, #aef2fb);
  --s7: light-dark(#ae72f6, #a872fd);
  --sn: light-dark(#747c87, #8f98a4);
}
:root:has(#colours-light:checked) { color-scheme: light; }
:root:has(#colours-dark:checked) { color-scheme: dark; }
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 1100px;
  background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: break-word;
}
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .25rem; text-wrap: balance; }
h2 {
  font-size: 1.4rem; line-height: 1.25; margin: 3rem 0 1rem; padding-top: 1rem;
  border-top: 2px solid var(--line);
}
h3 { font-size: 1.1rem; line-height: 1.3; margin: 2rem 0 .35rem; }
p, li { max-width: 75ch; }
p { margin: .4rem 0 .8rem; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code, pre { font: .9em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre {
  padding: .75rem 1rem; background: var(--raised); border-radius: 4px;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
header { overflow: auto; }
.run-id, .source, figcaption p { color: var(--soft-ink); }
.run-id { margin-top: 0; }
.warning { padding: .6rem .9rem; background: var(--warning); border-radius: 4px; }
.colours {
  float: right; margin: 0 0 .5rem 1rem; padding: 0; border: 0;
  color: var(--soft-ink); font-size: .85rem;
}
.colours legend { float: left; padding: 0; margin-right: .75rem; }
.colours label { margin-right: .75rem; white-space: nowrap; }
.colours input { margin: 0 .2rem 0 0; vertical-align: -1px; }
nav { margin-top: 1.5rem; padding: .75rem 1rem; background: var(--raised); border-radius: 4px; }
nav ul { margin: 0; padding: 0; list-style: none; }
nav > ul { columns: 2; column-gap: 2.5rem; }
nav li { break-inside: avoid; margin: .15rem 0; }
nav ul ul { padding-left: 1.1rem; font-size: .93em; }
ul { padding-left: 1.25rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0 1rem; font-size: .875rem; line-height: 1.4; }
th, td {
  padding: .35rem .75rem; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top;
}
tr > :first-child { padding-left: 0; }
thead th { vertical-align: bottom; color: var(--soft-ink); font-weight: 600; }
tbody th { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.floor th, .floor td, .remark { color: var(--soft-ink); font-style: italic; }
.verdict.good { color: var(--good); }
.verdict.bad { color: var(--bad); }
details { margin: .25rem 0 0; font-size: .95rem; }
summary { color: var(--link); cursor: pointer; width: fit-content; }
.download {
  display: inline-block; padding: .4rem .9rem; border: 1px solid var(--line); border-radius: 4px;
}
figure { margin: 0 0 3rem; }
svg.chart { display: block; width: 100%; min-width: 720px; height: auto; }
.scroll:has(svg + svg) { display: flex; gap: 2%; }
.scroll:has(svg + svg) svg { width: 49%; min-width: 430px; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
svg text { fill: var(--ink); }
svg .tick, svg .axis-title { fill: var(--soft-ink); }
svg .tick, svg .value { font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--grid); }
svg .axis { stroke: var(--soft-ink); }
svg .leader { fill: none; stroke: var(--soft-ink); stroke-width: .75; stroke-dasharray: 1 3; }
svg .interval { stroke: var(--ink); stroke-width: 1.25; }
svg .ring { fill: none; stroke: var(--ink); stroke-width: 1.5; }
svg .hatch { stroke: var(--ground); stroke-width: 4; }
.s0 { --c: var(--s0); } .s1 { --c: var(--s1); } .s2 { --c: var(--s2); } .s3 { --c: var(--s3); }
.s4 { --c: var(--s4); } .s5 { --c: var(--s5); } .s6 { --c: var(--s6); } .s7 { --c: var(--s7); }
.sn { --c: var(--sn); }
svg .line, svg .guide { fill: none; stroke: var(--c); stroke-linejoin: round; }
svg .line { stroke-width: 2; }
svg .guide { stroke-width: 1.25; }
svg .dashed { stroke-dasharray: 7 4; }
svg .dotted { stroke-dasharray: 2 4; }
svg .band { fill: var(--c); fill-opacity: .14; }
svg .bar { fill: var(--c); }
svg .dot { fill: var(--c); fill-opacity: .65; }
svg .marker { fill: var(--c); stroke: var(--ground); stroke-width: 1; }
svg .marker.hollow { fill: var(--ground); stroke: var(--c); stroke-width: 1.75; }
@media (max-width: 640px) {
  body { padding: 1rem .9rem 3rem; }
  h1 { font-size: 1.5rem; }
  .colours { float: none; margin: 0 0 .75rem; }
  nav > ul { columns: 1; }
}
@media print {
  :root, :root:has(#colours-dark:checked) { color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .colours, nav, .download { display: none; }
  h2, h3, figcaption { break-after: avoid; }
  figcaption, figure > .scroll, tr { break-inside: avoid; }
  .scroll { overflow: visible; }
  svg.chart, .scroll:has(svg + svg) svg { min-width: 0; }
  details::details-content { content-visibility: visible; block-size: auto; }
  table { font-size: 8pt; }
}
)";
}

}  // namespace rps::report
