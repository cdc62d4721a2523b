/**
 * Loads the sample catalogue through the public API, as staff would: one promotion per file of `deploy/catalogue`.
 * Safe to repeat: what exists is left alone, and what was created but not yet activated is activated.
 *
 * By hand: `node tools/load-catalogue.ts http://127.0.0.1:8080`
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { callJson, isObject, type JsonObject, ServiceError } from './start/json-call.ts';

const CATALOGUE_DIRECTORY = fileURLToPath(new URL('../deploy/catalogue', import.meta.url));

const SERVICE = 'hongbao.v1.PromotionService';

/** One file of the catalogue. */
export interface CatalogueEntry {
  readonly promotionId: string;
  /** Whether it is activated after it was created. */
  readonly activate: boolean;
  /** A `hongbao.v1.Promotion` in its JSON form. */
  readonly promotion: JsonObject;
}

/** How many promotions were created, activated, and found to exist. */
export interface LoadOutcome {
  created: number;
  activated: number;
  kept: number;
}

/** Reads the catalogue, sorted by file name. Throws when a file lacks its id or its promotion. */
export async function readCatalogue(directory = CATALOGUE_DIRECTORY): Promise<CatalogueEntry[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.yaml')).sort();
  return Promise.all(files.map(async (file) => toEntry(file, await readFile(join(directory, file), 'utf8'))));
}

/** Loads every entry into the service at `baseUrl`. Throws {@link ServiceError} when the service refuses one. */
export async function loadCatalogue(baseUrl: string, signal: AbortSignal): Promise<LoadOutcome> {
  const outcome: LoadOutcome = { created: 0, activated: 0, kept: 0 };
  for (const entry of await readCatalogue()) await loadEntry(baseUrl, entry, outcome, signal);
  return outcome;
}

async function loadEntry(
  baseUrl: string,
  entry: CatalogueEntry,
  outcome: LoadOutcome,
  signal: AbortSignal,
): Promise<void> {
  const call = (method: string, request: JsonObject): Promise<JsonObject> =>
    callJson(`${baseUrl}/${SERVICE}/${method}`, { promotionId: entry.promotionId, ...request }, signal);
  const found = await existing(call);
  if (found === undefined) outcome.created += 1;
  else outcome.kept += 1;
  const present = found ?? (await create(call, entry));
  // Only a promotion nobody has touched since its creation: staff may have deactivated a later version on purpose.
  const untouched = present.version === 1 && present.state === 'PROMOTION_STATE_INACTIVE';
  if (!untouched || !entry.activate) return;
  await call('ActivatePromotion', { requestId: requestId('activate', entry) });
  outcome.activated += 1;
}

type Call = (method: string, request: JsonObject) => Promise<JsonObject>;

async function existing(call: Call): Promise<JsonObject | undefined> {
  try {
    return promotionOf(await call('GetPromotion', {}));
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'not_found') return undefined;
    throw error;
  }
}

async function create(call: Call, entry: CatalogueEntry): Promise<JsonObject> {
  return promotionOf(
    await call('CreatePromotion', { promotion: entry.promotion, requestId: requestId('create', entry) }),
  );
}

/** The same at every load, so that a load cut off in the middle is carried on and not repeated. */
function requestId(step: 'create' | 'activate', entry: CatalogueEntry): string {
  return `catalogue:${step}:${entry.promotionId}`;
}

function promotionOf(response: JsonObject): JsonObject {
  if (!isObject(response.promotion)) throw new Error('The answer of PromotionService carries no promotion.');
  return response.promotion;
}

function toEntry(file: string, text: string): CatalogueEntry {
  const content: unknown = parse(text);
  if (!isObject(content) || typeof content.promotionId !== 'string' || !isObject(content.promotion)) {
    throw new Error(
      `${file} must hold promotionId, promotion and, when it should stay inactive, activate: false.`,
    );
  }
  return {
    promotionId: content.promotionId,
    activate: content.activate !== false,
    promotion: content.promotion,
  };
}

if (import.meta.main) {
  const outcome = await loadCatalogue(
    process.argv[2] ?? 'http://127.0.0.1:8080',
    new AbortController().signal,
  );
  console.log(`Catalogue: ${outcome.created} created, ${outcome.activated} activated, ${outcome.kept} kept.`);
}
