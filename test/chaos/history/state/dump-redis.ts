/** Reads everything a partition has in Redis, record by record. */
import type { LedgerAdmin, RecordClass, StreamEntry } from '../../../../src/archive/ledger-port.ts';
import { type RedisState, recordName } from './ledger-state.ts';

const PAGE_ENTRIES = 500;
const RECORD_CLASSES: readonly RecordClass[] = ['order', 'account', 'usage', 'pool'];
/** The promotion index and the due set are one record each. */
const SINGLE_ID = '';

type Image = Map<string, string>;

/** Reads one partition; nothing may be writing meanwhile. `refs`: the promotions there are. */
export async function dumpRedis(admin: LedgerAdmin, refs: readonly number[]): Promise<RedisState> {
  const records = new Map<string, ReadonlyMap<string, string>>();
  const put = (name: string, image: Image): void => {
    if (image.size > 0) records.set(name, image);
  };
  for (const [userId, image] of await readWallets(admin)) put(recordName('wallet', userId), image);
  for (const target of RECORD_CLASSES) {
    for (const [id, image] of await readClass(admin, target)) put(recordName(target, id), image);
  }
  for (const ref of refs)
    put(recordName('promotion', String(ref)), latin1(await admin.readPromotionFields(ref)));
  put(recordName('due', SINGLE_ID), await readDue(admin));
  const [runId, openRunId] = await Promise.all([admin.serverRunId(), admin.openRunId()]);
  return { stream: await readStream(admin), isOpen: runId === openRunId, records };
}

function latin1(fields: ReadonlyMap<string, Buffer>): Image {
  return new Map([...fields].map(([name, value]) => [name, value.toString('latin1')]));
}

async function readStream(admin: LedgerAdmin): Promise<StreamEntry[]> {
  const entries: StreamEntry[] = [];
  let after = ((await admin.firstSeq()) ?? 0) - 1;
  for (;;) {
    const page = await admin.readEntries(after, PAGE_ENTRIES);
    if (page.length === 0) return entries;
    entries.push(...page);
    after = page.at(-1)?.seq ?? after;
  }
}

/** Every page of a walk. An id may come up twice, so they are made one. */
async function walk(
  step: (cursor: string) => Promise<{ cursor: string; ids: readonly string[] }>,
): Promise<string[]> {
  const ids = new Set<string>();
  let cursor = '0';
  do {
    const page = await step(cursor);
    for (const id of page.ids) ids.add(id);
    cursor = page.cursor;
  } while (cursor !== '0');
  return [...ids];
}

/** Reads records in pages, so that no reply is larger than some megabytes. */
async function readPages(
  ids: readonly string[],
  read: (page: readonly string[]) => Promise<Map<string, Buffer>[]>,
): Promise<[string, Map<string, Buffer>][]> {
  const found: [string, Map<string, Buffer>][] = [];
  for (let start = 0; start < ids.length; start += PAGE_ENTRIES) {
    const page = ids.slice(start, start + PAGE_ENTRIES);
    for (const [index, fields] of (await read(page)).entries()) found.push([page[index] ?? '', fields]);
  }
  return found;
}

async function readWallets(admin: LedgerAdmin): Promise<[string, Image][]> {
  const users = await walk(async (cursor) => {
    const page = await admin.scanWalletUsers(cursor);
    return { cursor: page.cursor, ids: page.userIds };
  });
  const wallets = await readPages(users, (page) => admin.readWallets(page));
  return wallets.map(([userId, fields]) => {
    // Names of wallet fields come in hex.
    const named = [...fields].map(([hex, value]): [string, Buffer] => [
      Buffer.from(hex, 'hex').toString('latin1'),
      value,
    ]);
    return [userId, latin1(new Map(named))];
  });
}

async function readClass(admin: LedgerAdmin, target: RecordClass): Promise<[string, Image][]> {
  const ids = await walk((cursor) => admin.scanRecords(target, cursor));
  const records = await readPages(ids, (page) => admin.readRecords(target, page));
  return records.map(([id, fields]) => [id, latin1(fields)]);
}

async function readDue(admin: LedgerAdmin): Promise<Image> {
  const members = await walk((cursor) => admin.scanDue(cursor));
  const image: Image = new Map();
  const scores = await admin.readDue(members);
  for (const [index, member] of members.entries()) image.set(member, String(scores[index] ?? ''));
  return image;
}
