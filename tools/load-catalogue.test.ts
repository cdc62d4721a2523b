import { expect, test } from 'vitest';
import { readCatalogue } from './load-catalogue.ts';
import { FIRST_PROMOTION_ID } from './start/first-calls.ts';
import { UNCLAIMABLE_PROMOTION_ID } from './start/readiness.ts';

/** A request id has at most 64 characters, 19 of which are the prefix of the longest step. */
const MAX_ID_LENGTH = 64 - 'catalogue:activate:'.length;

test('every sample promotion has an id of its own, short enough for the request ids of the load', async () => {
  const ids = (await readCatalogue()).map(({ promotionId }) => promotionId);
  expect(ids.length).toBeGreaterThan(0);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => id.length > MAX_ID_LENGTH)).toEqual([]);
});

test('the promotion of the first call can be claimed by anybody, the one for probing by nobody', async () => {
  const promotions = new Map((await readCatalogue()).map((entry) => [entry.promotionId, entry.promotion]));
  expect(promotions.get(FIRST_PROMOTION_ID)).toMatchObject({ reach: { claimable: {} } });
  expect(promotions.get(FIRST_PROMOTION_ID)).not.toHaveProperty('target');
  expect(promotions.get(UNCLAIMABLE_PROMOTION_ID)).not.toHaveProperty('reach.claimable');
});
