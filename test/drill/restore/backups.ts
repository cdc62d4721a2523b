/** Copies of both stores, made while they run and put back when they are gone: what docs/recovery.md tells operators to do. */
import { execFile } from 'node:child_process';
import { access, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import postgres from 'postgres';
import type { RedisNode } from '../../chaos/topology/redis-node.ts';
import type { PostgresSide } from '../../chaos/topology/world.ts';

const run = promisify(execFile);

/** Of a running server only; a copy must not have them. */
const NOT_COPIED: ReadonlySet<string> = new Set(['postmaster.pid', 'postmaster.opts', 'pg_wal']);
const APPEND_ONLY_FOLDER = 'appendonlydir';
const REWRITE_POLL_MS = 20;
const REWRITE_MS = 30_000;

/**
 * A base backup by the calls that `pg_basebackup` makes: npm's Postgres comes without that program. What is written
 * meanwhile is in the log that is copied last.
 */
export async function backUpPostgres({ server, directory }: PostgresSide, target: string): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await mkdir(target);
  const sql = postgres(server.url(), { max: 1, onnotice: () => undefined });
  try {
    await sql`SELECT pg_backup_start('drill', true)`;
    await copyEntries(directory, target, (name) => !NOT_COPIED.has(name));
    const [stopped] = await sql<
      { labelfile: string; first_segment: string }[]
    >`SELECT labelfile, substring(labelfile from 'file ([0-9A-F]{24})') AS first_segment FROM pg_backup_stop(false)`;
    if (stopped === undefined) throw new Error('Postgres did not say what its backup needs');
    await writeFile(join(target, 'backup_label'), stopped.labelfile);
    await copyEntries(directory, target, (name) => name === 'pg_wal');
    await access(join(target, 'pg_wal', stopped.first_segment));
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** The storage of Postgres is gone. */
export async function losePostgres({ server, directory }: PostgresSide): Promise<void> {
  await server.kill();
  await removeEntries(directory);
}

/** Puts a backup where the storage was, and starts the server. */
export async function restorePostgres({ server, directory }: PostgresSide, backup: string): Promise<void> {
  await copyEntries(backup, directory, () => true);
  // Postgres reads it as the account that owns everything else.
  await run('chown', ['--reference', join(directory, 'PG_VERSION'), join(directory, 'backup_label')]);
  await server.restart();
}

/** Copies the append-only file, as a whole because nothing rewrites it meanwhile. */
export async function backUpRedis({ admin, directory }: RedisNode, target: string): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await mkdir(target);
  const before = await admin.config('GET', 'auto-aof-rewrite-percentage');
  await admin.config('SET', 'auto-aof-rewrite-percentage', '0');
  try {
    for (let waitedMs = 0; await isRewriting(admin); waitedMs += REWRITE_POLL_MS) {
      if (waitedMs > REWRITE_MS) throw new Error('Redis goes on rewriting its append-only file');
      await sleep(REWRITE_POLL_MS);
    }
    await copyEntries(directory, target, (name) => name === APPEND_ONLY_FOLDER);
  } finally {
    await admin.config('SET', 'auto-aof-rewrite-percentage', String(Object.values(before)[1] ?? '100'));
  }
}

async function isRewriting(admin: RedisNode['admin']): Promise<boolean> {
  const info = await admin.info('persistence');
  return /aof_rewrite_(in_progress|scheduled):1/.test(info);
}

/** The storage of Redis is gone. */
export async function loseRedis({ server, directory }: RedisNode): Promise<void> {
  await server.kill();
  await removeEntries(directory);
}

/** Puts a copy where the storage was, or nothing, and starts the server. */
export async function restoreRedis(node: RedisNode, backup: string | undefined): Promise<void> {
  if (backup !== undefined) await copyEntries(backup, node.directory, () => true);
  await node.restart();
}

/** Owners and rights are copied too. */
async function copyEntries(from: string, to: string, isWanted: (name: string) => boolean): Promise<void> {
  const wanted = (await readdir(from)).filter(isWanted).map((name) => join(from, name));
  await run('cp', ['-a', ...wanted, to]);
}

/** The folder itself stays: it may be a link, or where something is mounted. */
async function removeEntries(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
}
