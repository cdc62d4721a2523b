import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chown, mkdir, rm, rmdir, stat, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Account, openSharedFolder } from './postgres-binaries.ts';

const run = promisify(execFile);

/**
 * Makes `wanted` a folder that Postgres can keep its data in, and answers with the account that owns it.
 *
 * For anyone but root this is a plain folder. For root the folder belongs to `account`, or to whoever owned it before.
 * Below a parent that this account may not enter, `wanted` becomes a link to a folder of its own in
 * {@link openSharedFolder}: removing the link therefore still means starting from nothing.
 */
export async function preparePostgresFolder(
  wanted: string,
  account: Account | undefined,
): Promise<Account | undefined> {
  if (account === undefined) {
    await mkdir(wanted, { recursive: true, mode: 0o700 });
    return undefined;
  }
  const known = await stat(wanted).catch(() => undefined);
  if (known !== undefined && known.uid !== 0) return { uid: known.uid, gid: known.gid };
  await mkdir(wanted, { recursive: true, mode: 0o700 });
  await chown(wanted, account.uid, account.gid);
  if (!(await canEnter(account, wanted))) await linkToSharedFolder(wanted, account);
  return account;
}

async function canEnter(account: Account, directory: string): Promise<boolean> {
  try {
    await run('sh', ['-c', 'cd "$0"', directory], { ...account, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

async function linkToSharedFolder(wanted: string, account: Account): Promise<void> {
  // One name per place: what an earlier link at this place left behind is not wanted any more.
  const name = createHash('sha256').update(resolve(wanted)).digest('hex').slice(0, 16);
  const reachable = join(await openSharedFolder(), `data-${name}`);
  await rm(reachable, { recursive: true, force: true });
  await mkdir(reachable, { mode: 0o700 });
  await chown(reachable, account.uid, account.gid);
  await rmdir(wanted);
  await symlink(reachable, wanted);
}
