import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeEntry } from '../ledger/event-format.ts';
import { type DecodedEntry, decodeStreamEntry } from './decoded-entry.ts';
import { foldEntries } from './fold.ts';
import type { CounterRow, CouponRow, FieldRow, FoldedBatch } from './projection.ts';
import { SampleLedger, sampleDefinition, sampleField } from './sample-entries.ts';

const NOTHING_BEFORE = { eventsTotal: 0, blockedSubjects: new Set<string>() };

function fold(entries: readonly DecodedEntry[], blocked: ReadonlySet<string> = new Set()): FoldedBatch {
  return foldEntries(entries, { eventsTotal: 0, blockedSubjects: blocked });
}

/** What not every event tells of a coupon. */
type Told = Pick<CouponRow, 'changedAtMs' | 'claims' | 'live'>;

/** The projections as Postgres would hold them after these batches, by the rules of the upserts. */
class Tables {
  readonly coupons = new Map<string, Omit<CouponRow, 'issuedSeq'>>();
  readonly counters = new Map<number, CounterRow>();
  readonly fields = new Map<string, FieldRow>();
  readonly history: string[] = [];

  write(batch: FoldedBatch): void {
    for (const { issuedSeq: _, ...row } of batch.coupons) {
      const key = row.couponId.toString('hex');
      this.coupons.set(key, { ...row, ...this.keptOf(row, this.coupons.get(key)) });
    }
    for (const row of batch.fields)
      this.fields.set(`${row.target}/${row.id}/${row.field.toString('hex')}`, row);
    for (const row of batch.history)
      this.history.push(`${row.couponId.toString('hex')} ${row.seq} ${row.kind}`);
    for (const row of batch.counters) this.counters.set(row.promotionRef, this.counter(row));
  }

  /** As the statement does: what a row does not say stays as it is known. */
  private keptOf(row: Told, known: Told | undefined): Told {
    return {
      changedAtMs: row.changedAtMs ?? known?.changedAtMs,
      claims: row.claims ?? known?.claims,
      live: row.live ?? known?.live,
    };
  }

  private counter(row: CounterRow): CounterRow {
    const known = this.counters.get(row.promotionRef) ?? row;
    const issued = row.issuedSeq > known.issuedSeq ? row : known;
    const received = row.receivedSeq > known.receivedSeq ? row : known;
    return { ...issued, received: received.received, receivedSeq: received.receivedSeq };
  }
}

interface Step {
  readonly user: number;
  readonly request: number;
  readonly ref: number;
  readonly kind: 'claim' | 'hide' | 'define';
  readonly closes: boolean;
}

const steps = fc.array(
  fc.record<Step>({
    user: fc.nat(5),
    request: fc.nat(3),
    ref: fc.integer({ min: 1, max: 3 }),
    kind: fc.constantFrom('claim', 'hide', 'define'),
    closes: fc.boolean(),
  }),
  { maxLength: 60 },
);

/** A history of the sample ledger: claims of new request ids, hides of claimed coupons, definitions. */
function historyOf(script: readonly Step[]): DecodedEntry[] {
  const ledger = new SampleLedger();
  const claimed = new Set<string>();
  const entries: DecodedEntry[] = [];
  let open = [ledger.opened()];
  const close = (): void => {
    if (open.length > 0) entries.push(decodeStreamEntry(ledger.entry(...open)));
    open = [];
  };
  for (const { user, request, ref, kind, closes } of script) {
    const key = `${user}/${request}`;
    if (kind === 'define') open.push(ledger.defined(sampleDefinition(ref, { quantity: 10 + request })));
    else if (kind === 'claim' && !claimed.has(key)) open.push(ledger.claimed(`u${user}`, ref, `r${request}`));
    else if (kind === 'hide' && claimed.has(key)) open.push(ledger.hidden(`u${user}`, `r${request}`));
    if (kind === 'claim') claimed.add(key);
    if (closes) close();
  }
  close();
  return entries;
}

function cut(entries: readonly DecodedEntry[], sizes: readonly number[]): DecodedEntry[][] {
  const batches: DecodedEntry[][] = [];
  let at = 0;
  for (let index = 0; at < entries.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    batches.push(entries.slice(at, at + size));
    at += size;
  }
  return batches;
}

describe('folding a batch', () => {
  // LEDGER rule 19: one final row per key, whatever the batches are.
  test('any split of a history into batches leaves the same tables', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (script, sizes) => {
        const entries = historyOf(script);
        const whole = new Tables();
        whole.write(fold(entries));
        const split = new Tables();
        for (const batch of cut(entries, sizes)) split.write(fold(batch));
        expect(split).toEqual(whole);
      }),
    );
  });

  test('every key comes once, sorted, with the state after its last event', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const { coupons, counters } = fold(historyOf(script));
        const ids = coupons.map((row) => row.couponId.toString('hex'));
        expect(ids).toEqual([...new Set(ids)].sort());
        const refs = counters.map((row) => row.promotionRef);
        expect(refs).toEqual([...new Set(refs)].sort((a, b) => a - b));
      }),
    );
  });

  test('a coupon claimed and hidden in one batch is one row, hidden, and keeps the entry it was issued in', () => {
    const ledger = new SampleLedger();
    const entries = [ledger.entry(ledger.claimed('ann', 7)), ledger.entry(ledger.hidden('ann'))].map(
      decodeStreamEntry,
    );
    const batch = fold(entries);
    expect(batch.coupons).toHaveLength(1);
    expect(batch.coupons[0]).toMatchObject({
      userId: 'ann',
      promotionRef: 7,
      hidden: true,
      seq: 1,
      issuedSeq: 0,
    });
    expect(batch.history).toMatchObject([{ seq: 1, kind: 'hidden' }]);
    expect(batch.coupons[0]?.couponId.subarray(6)).toEqual(sampleField('ann', 'r1'));
  });

  test('the log holds every entry byte for byte', () => {
    const ledger = new SampleLedger();
    const entries = [
      ledger.entry(ledger.opened()),
      ledger.entry(ledger.claimed('ann', 1), ledger.claimed('bob', 1)),
    ];
    const batch = fold(entries.map(decodeStreamEntry));
    expect(batch.log.map((row) => row.payload)).toEqual(entries.map((entry) => entry.payload));
    expect(batch.log.map((row) => row.eventCount)).toEqual([1, 2]);
    expect(batch.eventsTotal).toBe(3);
  });

  test('an unlimited promotion has no received figure; a definition without stock change keeps the issued one', () => {
    const ledger = new SampleLedger();
    const events = [ledger.defined(sampleDefinition(1)), ledger.claimed('ann', 1)];
    const batch = fold([decodeStreamEntry(ledger.entry(...events))]);
    expect(batch.counters).toEqual([
      { promotionRef: 1, issued: 1, issuedSeq: 0, received: undefined, receivedSeq: 0 },
    ]);
  });

  test('the field that holds the sequence number is stored as Redis holds it', () => {
    const ledger = new SampleLedger();
    ledger.entry(ledger.opened());
    const batch = fold([decodeStreamEntry(ledger.entry(ledger.defined(sampleDefinition(1))))]);
    const mark = batch.fields.find((row) => row.field.toString() === '@');
    expect(mark?.value?.readUIntBE(0, 6)).toBe(1);
  });
});

describe('events that cannot be projected', () => {
  // LEDGER rule 20: the rest flows.
  test('a corrupt coupon goes to quarantine, later events of its user queue behind it, others flow', () => {
    const ledger = new SampleLedger();
    const broken = ledger.claimed('ann', 1);
    for (const { value } of broken.writes[0]?.fields.slice(0, 1) ?? []) value?.writeUInt8(99);
    const events = [broken, ledger.claimed('bob', 1), ledger.claimed('ann', 1, 'r2')];
    const batch = fold([decodeStreamEntry(ledger.entry(...events))]);
    expect(batch.coupons.map((row) => row.userId)).toEqual(['bob']);
    expect(batch.quarantine).toEqual([
      { seq: 0, eventIndex: 0, subject: 'user:ann', error: 'format 99' },
      { seq: 0, eventIndex: 2, subject: 'user:ann', error: 'waits behind an earlier event of its subject' },
    ]);
    expect(batch.log[0]?.isProjected).toBe(false);
  });

  test('events of a subject that waits since an earlier batch queue too', () => {
    const ledger = new SampleLedger();
    const batch = fold(
      [decodeStreamEntry(ledger.entry(ledger.claimed('ann', 1), ledger.claimed('bob', 1)))],
      new Set(['user:ann']),
    );
    expect(batch.coupons.map((row) => row.userId)).toEqual(['bob']);
    expect(batch.quarantine.map((row) => row.eventIndex)).toEqual([0]);
  });

  test('an event that fails half way leaves nothing of itself behind', () => {
    const ledger = new SampleLedger();
    const event = ledger.claimed('ann', 1);
    const spoilt = {
      ...event,
      writes: event.writes.map((w) => (w.target === 'promotion' ? { ...w, id: 'x' } : w)),
    };
    const batch = fold([decodeStreamEntry(ledger.entry(spoilt))]);
    expect(batch.coupons).toEqual([]);
    expect(batch.quarantine).toHaveLength(1);
  });

  // SPEC C4: no coupon is issued twice.
  test('a second claim of the same coupon is refused', () => {
    const ledger = new SampleLedger();
    const issuedAtMs = ledger.timeMs;
    const batch = fold([
      decodeStreamEntry(ledger.entry(ledger.claimed('ann', 1, 'r1', { issuedAtMs }))),
      decodeStreamEntry(ledger.entry(ledger.claimed('ann', 1, 'r1', { issuedAtMs }))),
    ]);
    expect(batch.quarantine).toMatchObject([{ seq: 1, error: 'the coupon was issued before' }]);
  });

  test('an entry that cannot be read is logged as it is', () => {
    const payload = encodeEntry({ formatVersion: 1, timeMs: 5, eventsTotal: 1, events: [] }).subarray(0, 9);
    const batch = foldEntries([decodeStreamEntry({ seq: 4, payload })], NOTHING_BEFORE);
    expect(batch.log).toMatchObject([{ seq: 4, payload, isProjected: false }]);
    expect(batch.quarantine).toMatchObject([{ seq: 4, eventIndex: -1, subject: '' }]);
  });
});
