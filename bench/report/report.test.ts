import { expect, test } from 'vitest';
import { renderPage } from './page.ts';
import { renderPlot } from './plot.ts';
import { sampleEvaluate, sampleMeasurement, sampleReport, sampleSummary } from './sample-report.ts';
import { renderTable } from './table.ts';
import { findWarnings } from './warnings.ts';

test('the table shows every figure of a contender and every bar', () => {
  const table = renderTable(sampleReport());
  expect(table).toMatch(
    /row of claim_grpc\s+12,500\s+2\.00\s+9\.50\s+20\.0\s+78\.5\s+redis 8\.3\s+20 %\s+server\s+0/,
  );
  expect(table).toContain('ok     fast = 0.90  ≥ 0.8 (aim 0.95)');
  expect(table).toContain('MISSED wins = 9999  = 10000');
  expect(table).toContain('warning: the machine was busy');
  expect(table).toMatch(/a bar was missed$/);
});

test('evaluations are shown with what they were compared with, as text and as a page', () => {
  const report = { ...sampleReport(), evaluate: sampleEvaluate() };
  const table = renderTable(report);
  expect(table).toMatch(/ours\s+10,000\s+20\s+12\.5\s+40\.0\s+90/);
  expect(table).toMatch(/zen_engine\s+1,000\s+20\s+1100/);
  expect(table).toMatch(/20\s+3\s+410\s+900\s+100 %\s+2\.9/);
  expect(table).toContain('p99 2.00 ms alone, 4.00 ms beside 4 heavy ones a second');
  const page = renderPage(report);
  expect(page.match(/<svg /g)).toHaveLength(3);
  expect(page).toContain('<title>zen_engine, 20 lines</title>');
  expect(page).toContain('<td>zen_engine</td><td>1,000</td>');
});

test('a missed bar that a short run is not held to is not called missed', () => {
  const report = sampleReport();
  const [first] = report.thresholds;
  if (first === undefined) throw new Error('the sample has bars');
  const table = renderTable({ ...report, thresholds: [{ ...first, passed: false, held: false }] });
  expect(table).toContain('short  fast');
  expect(table).not.toContain('MISSED');
});

test('the page stands alone and escapes what it shows', () => {
  const page = renderPage(sampleReport());
  expect(page).not.toMatch(/<script|<link|src=|href=|https?:|url\(/);
  expect(page).toContain('Fast &lt;1&gt;');
  expect(page.match(/<svg /g)).toHaveLength(2);
  expect(page).toContain('<tr class="missed"><td>wins</td>');
});

test('a run without contenders has a page without plots', () => {
  expect(renderPage({ ...sampleReport(), contenders: [] })).not.toContain('<svg');
});

test('a plot keeps its lines inside its frame, even when all values are equal', () => {
  const svg = renderPlot({
    title: 't',
    xTitle: 'x',
    yTitle: 'y',
    lines: [
      {
        label: 'l',
        color: '#000',
        points: [
          [1, 5],
          [2, 5],
        ],
      },
    ],
    xTicks: [],
    yTicks: [],
  });
  const [, points = ''] = /points="([^"]*)"/.exec(svg) ?? [];
  const values = points.split(/[ ,]/).map(Number);
  expect(values).toEqual([80, 184, 840, 184]);
});

test('doubts are said out loud: a busy generator, a shared core, a full helper core, errors, other sizes, a slow generator', () => {
  const doubtful = {
    ...sampleMeasurement(),
    generatorShare: 0.95,
    foreignShare: 0.25,
    limitedBy: 'helpers',
    errors: 2,
    firstFailure: '13 broken',
  } as const;
  const echo = { ...sampleMeasurement(), responseBytes: 60 };
  const warnings = findWarnings(
    [sampleSummary('claim_grpc', [doubtful]), sampleSummary('echo_grpcjs', [echo])],
    { oursPerSecond: 10, h2loadPerSecond: 20 },
  );
  expect(warnings).toEqual([
    expect.stringMatching(/generator used 95 %/),
    expect.stringMatching(/other programs used 25 %/),
    expect.stringMatching(/core of generator and stores was full/),
    expect.stringMatching(/2 errors, first: 13 broken/),
    expect.stringMatching(/130 bytes from ours, 60 from the echo/),
    expect.stringMatching(/only 50 % of what h2load reached/),
  ]);
  const clean = [sampleSummary('claim_grpc', [sampleMeasurement()])];
  expect(findWarnings(clean, undefined, sampleEvaluate().beside)).toEqual([]);
  const crowded = { ...sampleEvaluate().beside, foreignShare: 0.3, errors: 1, firstFailure: '14 busy' };
  expect(findWarnings(clean, undefined, crowded)).toEqual([
    expect.stringMatching(/used 30 % .* p99 says little/),
    expect.stringMatching(/1 errors, first: 14 busy/),
  ]);
});
