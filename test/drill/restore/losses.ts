/** Each way of losing stores, and the way back that docs/recovery.md tells. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandResult, runCommand } from '../../chaos/run-audit.ts';
import { isLevel } from '../../chaos/topology/levels.ts';
import type { World } from '../../chaos/topology/world.ts';
import type { LossName } from '../options.ts';
import {
  backUpPostgres,
  backUpRedis,
  losePostgres,
  loseRedis,
  restorePostgres,
  restoreRedis,
} from './backups.ts';
import { missingOf } from './survivors.ts';
import type { Write, Writer } from './writer.ts';

/** What became of a loss. */
export interface LossOutcome {
  readonly name: LossName;
  /** Writes acknowledged so far in the drill, these included. */
  readonly acknowledged: readonly Write[];
  /** Those after the newest copy that was put back; all others must be there. */
  readonly afterCopies: readonly Write[];
  readonly missing: readonly Write[];
  /** Commands of the product that were needed, with what they printed. */
  readonly commands: readonly (CommandResult & { readonly command: string })[];
  /** From the loss until everything is archived and every partition takes writes, ms. */
  readonly restoredAfterMs: number;
  /** Lost writes were asked for again, and are there now. */
  readonly repeated: number;
}

/** What a loss works with. */
export interface Drilled {
  readonly world: World;
  readonly writer: Writer;
  /** Writes before and after each copy. */
  readonly writes: number;
  readonly say: (line: string) => void;
}

const LEVEL_MS = 60_000;
const POLL_MS = 50;

/** Writes, copies, loses, restores, and counts. */
export async function drillLoss(name: LossName, drilled: Drilled): Promise<LossOutcome> {
  const { world, writer, writes, say } = drilled;
  await writer.write(writes);
  await untilLevel(world);
  const run = new Recovery(world);
  const { afterCopies, lostAtMs } = await LOSSES[name](drilled, run);
  await untilLevel(world);
  const restoredAfterMs = Date.now() - lostAtMs;
  await run.command('audit');
  const { acknowledged } = writer;
  const missing = await missingOf(world.postgres.admin, acknowledged);
  say(`${name}: ${missing.length} of ${acknowledged.length} writes are gone`);
  if (missing.length > 0) {
    await writer.repeat(missing);
    await untilLevel(world);
  }
  const still = await missingOf(world.postgres.admin, writer.acknowledged);
  return {
    name,
    acknowledged,
    afterCopies,
    missing,
    commands: run.commands,
    restoredAfterMs,
    repeated: missing.length - still.length,
  };
}

interface Lost {
  readonly afterCopies: readonly Write[];
  readonly lostAtMs: number;
}

/** Runs commands of the product, and starts and ends its processes. */
class Recovery {
  readonly commands: LossOutcome['commands'][number][] = [];
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  async command(command: string): Promise<void> {
    const result = await runCommand(command.split(' '), this.world.directEnvironment);
    this.commands.push({ command: `hongbao ${command}`, ...result });
  }

  async stopArchives(): Promise<void> {
    await Promise.all(this.world.archives.map((archive) => archive.end('SIGTERM')));
  }

  async startArchives(): Promise<void> {
    await Promise.all(this.world.archives.map((archive) => archive.start()));
  }

  /** Redis is empty, Postgres has everything there is. */
  async rebuildRedis(): Promise<void> {
    await this.stopArchives();
    await this.command('rebuild redis');
    await this.command('rebuild redis --yes');
    await this.startArchives();
  }
}

const LOSSES: Readonly<Record<LossName, (drilled: Drilled, run: Recovery) => Promise<Lost>>> = {
  async redis({ world }, run) {
    const [node] = world.redis.nodes;
    if (node === undefined) throw new Error('there is no Redis to lose');
    const lostAtMs = Date.now();
    await loseRedis(node);
    await restoreRedis(node, undefined);
    await run.rebuildRedis();
    return { afterCopies: [], lostAtMs };
  },

  async postgres({ world, writer, writes }, run) {
    const copy = join(world.directory, 'copy-of-postgres');
    await backUpPostgres(world.postgres, copy);
    await writer.write(writes);
    const lostAtMs = Date.now();
    await losePostgres(world.postgres);
    await restorePostgres(world.postgres, copy);
    await untilLevel(world);
    await run.command('rebuild definitions');
    await run.command('rebuild definitions --yes');
    return { afterCopies: [], lostAtMs };
  },

  async both({ world, writer, writes }, run) {
    const [node] = world.redis.nodes;
    if (node === undefined) throw new Error('there is no Redis to lose');
    const copies = {
      redis: join(world.directory, 'copy-of-redis'),
      postgres: join(world.directory, 'copy-of-postgres'),
    };
    await backUpPostgres(world.postgres, copies.postgres);
    await writer.write(writes);
    await backUpRedis(node, copies.redis);
    const afterCopies = await writer.write(writes);
    const lostAtMs = Date.now();
    await Promise.all([losePostgres(world.postgres), loseRedis(node)]);
    await restorePostgres(world.postgres, copies.postgres);
    await restoreRedis(node, copies.redis);
    await untilLevel(world);
    await run.command('rebuild definitions --yes');
    return { afterCopies, lostAtMs };
  },

  async 'both-without-files'({ world, writer, writes }, run) {
    const [node] = world.redis.nodes;
    if (node === undefined) throw new Error('there is no Redis to lose');
    const copy = join(world.directory, 'copy-of-postgres');
    await backUpPostgres(world.postgres, copy);
    const afterCopies = await writer.write(writes);
    const lostAtMs = Date.now();
    await Promise.all([losePostgres(world.postgres), loseRedis(node)]);
    await restorePostgres(world.postgres, copy);
    await restoreRedis(node, undefined);
    await run.rebuildRedis();
    return { afterCopies, lostAtMs };
  },
};

/** Everything archived, every partition open. Stores that are coming back do not answer yet. */
async function untilLevel(world: World): Promise<void> {
  for (let waitedMs = 0; !(await isLevel(world).catch(() => false)); waitedMs += POLL_MS) {
    if (waitedMs > LEVEL_MS) throw new Error(`not everything was archived and open after ${LEVEL_MS} ms`);
    await sleep(POLL_MS);
  }
}
