import { describe, expect, test } from 'vitest';
import { TrimMargin } from './trim-margin.ts';

// LEDGER rule 16
describe('the trim margin', () => {
  test('entries go once they have been archived for the margin, not before', () => {
    const margin = new TrimMargin(1_000, 100);
    margin.note(5, 0);
    margin.note(9, 100);
    expect(margin.takeDue(999)).toBeUndefined();
    expect(margin.takeDue(1_000)).toBe(5);
    expect(margin.takeDue(1_050)).toBeUndefined();
    expect(margin.takeDue(1_100)).toBe(9);
  });

  test('one mark per interval: the newest mark never runs ahead of what was archived by then', () => {
    const margin = new TrimMargin(1_000, 100);
    margin.note(5, 0);
    margin.note(6, 50);
    margin.note(7, 99);
    expect(margin.takeDue(1_099)).toBe(5);
    expect(margin.takeDue(5_000)).toBeUndefined();
  });

  test('an archive that has nothing yet gives nothing away', () => {
    const margin = new TrimMargin(0, 0);
    margin.note(-1, 0);
    expect(margin.takeDue(10)).toBeUndefined();
  });
});
