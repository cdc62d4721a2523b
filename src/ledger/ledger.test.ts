import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definitionOf, type LedgerFixture, soon, startLedgerFixture } from '../../test/ledger-fixture.ts';
import { LOG_EVENTS } from '../telemetry/logger.ts';

const NEVER = 9;
let fixture: LedgerFixture;
beforeAll(async () => {
  fixture = await startLedgerFixture({
    defineMissing: async (ref, ledger) => {
      if (ref === NEVER) await new Promise(() => undefined);
      if (ref !== 1) return false;
      await ledger.define(definitionOf(), soon());
      return true;
    },
  });
});
afterAll(async () => {
  await fixture.close();
});

describe('bringing a definition', () => {
  it('ends by the deadline, whatever it waits for', async () => {
    const { ledger } = fixture;
    await expect(ledger.ensureDefined(NEVER, Date.now() + 20)).rejects.toMatchObject({
      reason: 'DEADLINE_EXCEEDED',
    });
  });

  it('is refused where there is no such promotion', async () => {
    await fixture.ledger.ensureDefined(1, soon());
    await expect(fixture.ledger.ensureDefined(2, soon())).rejects.toMatchObject({
      reason: 'PROMOTION_NOT_FOUND',
    });
  });

  // SPEC C3: a database that was restored to an older state counts refs anew.
  it('never overwrites the record of another promotion that has its ref', async () => {
    const { ledger } = fixture;
    await ledger.ensureDefined(1, soon());
    const other = definitionOf({ id: 'another', version: 99 });
    await expect(ledger.define(other, soon())).rejects.toMatchObject({
      reason: 'INTERNAL',
      cause: { message: 'REF_TAKEN ref belongs to another promotion' },
    });
    await expect(ledger.define(definitionOf({ version: 2 }), soon())).resolves.toMatchObject({ issued: 0 });
  });
});

describe('closing', () => {
  it('ends although something never answers, and says so', async () => {
    const lines: string[] = [];
    const stuck = await startLedgerFixture({
      defineMissing: () => new Promise(() => undefined),
      logger: pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }),
    });
    void stuck.claim({ user: 'ann', request: 'never', timeoutMs: 3_600_000 });
    await stuck.close();
    expect(lines.map((line) => JSON.parse(line).event)).toEqual([LOG_EVENTS.ledgerLeft]);
  });
});
