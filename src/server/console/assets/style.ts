/** The pages' style sheet and icon. Colours keep a contrast of 4.5 to 1 at least, in light and in dark. */
import { hash } from "node:crypto";

export const styleText = `:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f4f6f8; --text: #1b1f24; --soft: #4d5661; --line: #8a939d; --faint: #d5dae0;
  --link: #0b57a4; --good: #11612f; --warn: #7a4b00; --bad: #a3161f; --good-bar: #1f7a43; --bad-bar: #c0392b;
  --event: #3a6ea8; --on-button: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161b; --raised: #1c2229; --text: #e8ecf1; --soft: #b3bcc7; --line: #7b8592; --faint: #323a44;
    --link: #8cc2ff; --good: #7fd79d; --warn: #f2c46d; --bad: #ff9d97; --good-bar: #4fb978; --bad-bar: #f07167;
    --event: #7fb2ea; --on-button: #12161b;
  }
}
* { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
body { margin: 0; background: var(--ground); color: var(--text); }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
main:focus { outline: none; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--ground); padding: .25rem .5rem; z-index: 1; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding: .5rem 1rem;
  background: var(--raised); border-bottom: 1px solid var(--faint); }
header p { margin: 0; }
.product { font-weight: 600; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem .5rem; list-style: none; margin: 0; padding: 0; }
nav a { display: inline-block; padding: .25rem .6rem; border-radius: .3rem; text-decoration: none; }
nav a:hover { text-decoration: underline; }
nav a[aria-current] { background: var(--ground); color: var(--text); box-shadow: inset 0 -3px var(--link); }
.who { margin: 0 0 0 auto; color: var(--soft); font-size: .9rem; }
main { max-width: 80rem; margin: 0 auto; padding: 1rem; }
footer { max-width: 80rem; margin: 0 auto; padding: 0 1rem 1rem; color: var(--soft); font-size: .85rem; }
h1 { font-size: 1.5rem; margin: .5rem 0 1rem; }
h2 { font-size: 1.15rem; margin: 1.75rem 0 .5rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin: 0; }
.tiles > div { background: var(--raised); border: 1px solid var(--faint); border-radius: .4rem; padding: .6rem .8rem; }
.tiles dt { color: var(--soft); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.tiles dd small { display: block; font-size: .8rem; color: var(--soft); }
.scroll { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--faint);
  overflow-wrap: anywhere; min-width: 4rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.id, code { font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace; font-size: .88em; }
td.id { min-width: 18.5rem; }
th { white-space: nowrap; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .5rem 0; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--raised); border: 1px solid var(--faint); border-radius: .4rem; padding: .6rem; overflow: auto;
  max-height: 30rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; }
.unseen { color: var(--bad); border-bottom: 1px dotted; }
.none, .cut, .hint { color: var(--soft); }
.hint, .error { font-size: .85rem; }
figure { margin: .75rem 0; }
time { white-space: nowrap; }
.state { font-weight: 600; }
.registered, .good-text { color: var(--good); } .waiting, .warn-text { color: var(--warn); } .refused, .bad-text { color: var(--bad); }
.notice { border-left: .3rem solid; padding: .4rem .8rem; background: var(--raised); }
.notice.good { border-color: var(--good); } .notice.warn { border-color: var(--warn); } .notice.bad { border-color: var(--bad); }
form.fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .8rem 1rem; align-items: start; margin: 0 0 1rem; }
form.fields > p { margin: 0; }
form.fields > p:has(> button) { align-self: start; padding-top: 1.4rem; }
form.fields .wide { grid-column: 1 / -1; }
label, legend { display: block; font-size: .88rem; color: var(--soft); }
label.check[hidden] { display: none; }
label.check { display: flex; gap: .4rem; align-items: center; min-height: 1.75rem; }
input, select { font: inherit; width: 100%; padding: .35rem .5rem; color: var(--text); background: var(--ground);
  border: 1px solid var(--line); border-radius: .3rem; }
input[type=checkbox] { width: 1.5rem; height: 1.5rem; margin: 0; flex: none; }
button, .button { font: inherit; padding: .4rem .9rem; border-radius: .3rem; border: 1px solid var(--link); cursor: pointer;
  background: var(--link); color: var(--on-button); text-decoration: none; display: inline-block; }
button.plain { background: transparent; color: var(--link); }
.error { color: var(--bad); }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin: .75rem 0; }
svg.chart { width: 100%; height: 9rem; display: block; background: var(--raised); border: 1px solid var(--faint); border-radius: .4rem; }
.bar-registered { fill: var(--good-bar); } .bar-refused { fill: var(--bad-bar); } .bar-events { fill: var(--event); }
.axis { stroke: var(--line); stroke-width: 1; }
ol.story { list-style: none; margin: 0; padding: 0 0 0 1rem; border-left: 3px solid var(--faint); }
ol.story > li { margin: 0 0 1rem; }
ol.story h3 { font-size: 1rem; margin: 0; }
details { margin: .5rem 0; }
summary { cursor: pointer; color: var(--link); }
@media (max-width: 40rem) {
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin: 0 0 .5rem; }
  .who { margin: 0; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`;

export const iconText = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b57a4"/><path d="M4 8.5l3 3 5-6" fill="none" stroke="#fff" stroke-width="2"/></svg>
`;

/** Their address depends on their content, so they may be cached permanently. */
export const stylePath = `/console/style.css?v=${hash("sha256", styleText).slice(0, 12)}`;
export const iconPath = `/console/icon.svg?v=${hash("sha256", iconText).slice(0, 12)}`;
