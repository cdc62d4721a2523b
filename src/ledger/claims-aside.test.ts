import { expect, it } from 'vitest';
import type { WaitingClaim } from './claim-queue.ts';
import { ClaimsAside, type UnitsOutcome } from './claims-aside.ts';

function claimOf(user: string, promotionRef = 7): WaitingClaim {
  const listener = { claimed: () => {}, refused: () => {} };
  const request = { promotionRef, userId: user, fieldHex: '', deadlineMs: 0, facts: undefined, listener };
  return { request, facts: Buffer.alloc(0), costUs: 1, isSettled: false, unknownUntilMs: 0 };
}

/** Claims that stepped aside, and what became of them as `<what> <user> …`; `answer` ends what was asked last. */
function surroundings(isShared = true) {
  const told: string[] = [];
  const asked: string[] = [];
  let answer: (outcome: UnitsOutcome) => void = () => {};
  const aside = new ClaimsAside({
    defineMissing: async () => false,
    obtainUnits: isShared
      ? (ref, version, claims) => {
          asked.push(`${claims} of ${ref} by version ${version}`);
          return new Promise((resolve) => {
            answer = resolve;
          });
        }
      : undefined,
    putBack: (claims) => told.push(...claims.map(({ request }) => `back ${request.userId}`)),
    refuse: ({ request }, reason, needed, seen) => told.push(`${reason} ${request.userId} ${needed}/${seen}`),
    onGone: () => told.push('gone'),
  });
  const end = async (outcome: UnitsOutcome): Promise<string[]> => {
    answer(outcome);
    await new Promise(setImmediate);
    return told;
  };
  return { aside, asked, end };
}

// LEDGER 10
it('asks once for all that wait for the same, and lets them try again when there are units', async () => {
  const { aside, asked, end } = surroundings();
  for (const user of ['a', 'b', 'c']) expect(aside.awaitUnits(claimOf(user), 2)).toBe(true);
  await Promise.resolve();
  expect(aside.awaitUnits(claimOf('late'), 2)).toBe(true);
  expect(asked).toEqual(['3 of 7 by version 2']);
  expect(aside.size).toBe(1);
  expect(await end({ kind: 'granted' })).toEqual(['back a', 'back b', 'back c', 'back late', 'gone']);
  expect(aside.size).toBe(0);
});

it('refuses with the figures of all partitions, and nobody who has his answer already', async () => {
  const { aside, end } = surroundings();
  const settled = claimOf('a');
  aside.awaitUnits(settled, 1);
  aside.awaitUnits(claimOf('b'), 1);
  await Promise.resolve();
  settled.isSettled = true;
  const told = await end({ kind: 'exhausted', limit: 10, used: 10, asOfMs: 0 });
  expect(told).toEqual(['SOLD_OUT b 10/10', 'gone']);
});

it('lets claims try again while it cannot be known what is left', async () => {
  const { aside, end } = surroundings();
  aside.awaitUnits(claimOf('a'), 1);
  await Promise.resolve();
  expect(await end({ kind: 'unavailable', cause: undefined })).toEqual(['back a', 'gone']);
});

it('takes what its partition has for all there is where it is the only one', () => {
  const { aside } = surroundings(false);
  expect(aside.awaitUnits(claimOf('a'), 1)).toBe(false);
  expect(aside.size).toBe(0);
});
