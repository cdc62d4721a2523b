/** The page's style sheet: one look by day, one by night. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1d1f22; --page: #fff; --line: #d9dce1; --soft: #f3f4f6;
  --ok: #1a7f4b; --refused: #2f6fd0; --unknown: #c2410c; --fault: #b4532a; --outage: rgba(200, 40, 40, .16); }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8eb; --page: #15171a; --line: #363b42; --soft: #202429;
  --ok: #4cc38a; --refused: #6ea8fe; --unknown: #f59e5b; --fault: #e08a5f; --outage: rgba(255, 90, 90, .22); } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1140px; margin: 2rem auto; padding: 0 1rem;
  color: var(--text); background: var(--page); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
p.passed, p.failed { font-weight: 600; padding: .6rem .9rem; border-left: 4px solid var(--ok); background: var(--soft); }
p.failed { border-color: #d22; }
svg { display: block; width: 100%; height: auto; margin: .3rem 0; font: 11px system-ui, sans-serif; fill: var(--text); }
svg .title { font-weight: 600; } svg .scale { text-anchor: end; } svg .mark { text-anchor: middle; }
svg .grid { stroke: var(--line); } svg .curve { fill: none; stroke-width: 1.3; stroke-linejoin: round; }
svg .curve.ok { stroke: var(--ok); } svg .curve.refused { stroke: var(--refused); } svg .curve.unknown { stroke: var(--unknown); }
svg .key.ok { fill: var(--ok); } svg .key.refused { fill: var(--refused); } svg .key.unknown { fill: var(--unknown); }
svg .fault { fill: var(--fault); } svg .outage { fill: var(--outage); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: 4px 8px;
  border-bottom: 1px solid var(--line); } td:nth-child(n+3) { font-variant-numeric: tabular-nums; }
pre, code { background: var(--soft); } pre { padding: 1rem; overflow: auto; } code { padding: 1px 4px; }
`;
