import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, rmdir, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, SHARED_FOLDER } from './postgres-binaries.ts';

const run = promisify(execFile);

/**
 * Makes `wanted` a folder that Postgres can keep its data in, and answers with the account that owns it.
 *
 * For anyone but root this is a plain folder. For root the folder belongs to `account`, or to whoever owned it before.
 * Below a parent that this account may not enter, `wanted` becomes a link to a folder of its own in
 * {@link SHARED_FOLDER}: removing the link therefore still means starting from nothing.
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
  await mkdir(SHARED_FOLDER, { recursive: true, mode: 0o755 });
  const reachable = await mkdtemp(join(SHARED_FOLDER, 'data-'));
  await chown(reachable, account.uid, account.gid);
  await rmdir(wanted);
  await mkdir(dirname(wanted), { recursive: true });
  await symlink(reachable, wanted);
}
