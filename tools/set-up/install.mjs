// Makes a fresh machine ready: dependencies by the lock file, and redis-server. Runs before every npm script, on any Node
// from 18 on and before anything is installed, so it is plain JavaScript without imports from npm.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const oldestRedis = 7;

/** The packages a lock file names, or none when the file is not there or was cut off. */
function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages ?? {};
  } catch {
    return {};
  }
}

/** Npm keeps its own copy of the lock in node_modules, written last; what differs was not installed, or only in part. */
function isInstalled() {
  const wanted = lockedPackages('package-lock.json');
  const present = lockedPackages('node_modules/.package-lock.json');
  return Object.entries(wanted).every(
    ([path, { version, integrity, optional }]) =>
      path === '' ||
      (optional && !(path in present)) ||
      (present[path]?.version === version &&
        present[path]?.integrity === integrity &&
        existsSync(join(root, path))),
  );
}

/** Runs a program without showing its output; ends this process with that output when it fails. */
function runQuietly(command, parameters, environment = process.env) {
  const result = spawnSync(command, parameters, {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n`);
  process.stderr.write(`Set-up failed: ${[command, ...parameters].join(' ')}\n`);
  process.exit(1);
}

/** Shows one line while `action` runs and completes it with the time taken. */
function withProgress(text, action) {
  const start = Date.now();
  process.stderr.write(`${text} ... `);
  action();
  process.stderr.write(`done in ${Math.ceil((Date.now() - start) / 1000)} s\n`);
}

/** `npm ci` replaces node_modules, so it must not itself run on the Node that lives there. */
function installDependencies() {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  const environment = { ...process.env, PATH: path.join(delimiter) };
  const flags = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { npm_node_execpath: node, npm_execpath: npm } = process.env;
  if (node && npm && !node.includes('node_modules')) runQuietly(node, [npm, ...flags], environment);
  else runQuietly('npm', flags, environment);
}

/** The major version of redis-server on PATH; 0 when there is none. */
function redisVersion() {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return Number(/v=(\d+)/.exec(stdout ?? '')?.[1] ?? 0);
}

function installRedis() {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', 'redis-server'];
  // Package lists may be missing in a fresh container, and fetching them is slow: only when the first attempt fails.
  if (spawnSync('apt-get', install, { env: environment }).status === 0) return;
  runQuietly('apt-get', ['update'], environment);
  runQuietly('apt-get', install, environment);
}

function ensureRedis() {
  if (redisVersion() >= oldestRedis) return;
  const mayInstall = process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;
  if (mayInstall) withProgress('Installing redis-server with apt-get', installRedis);
  if (redisVersion() >= oldestRedis) return;
  process.stderr.write(
    `redis-server ${oldestRedis}.0 or newer is needed. Debian: sudo apt-get install redis-server; ` +
      'Fedora: sudo dnf install valkey-compat-redis; macOS: brew install redis. (Or set REDIS_URL for `npm start`.)\n',
  );
  process.exit(1);
}

if (!isInstalled()) withProgress('Installing dependencies with npm ci', installDependencies);
const bringsOwnRedis = process.env.npm_lifecycle_event === 'prestart' && process.env.REDIS_URL;
if (!bringsOwnRedis && process.argv[2] !== '--no-redis') ensureRedis();
