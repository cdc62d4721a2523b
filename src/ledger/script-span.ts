/** What spans tell of calls to Redis: which script or kind of read, and for how many at once. Keys and arguments name users: never those. */
import type { SpanStart } from '../telemetry/tracing/span.ts';
import { sharedWork, type Waits } from '../telemetry/tracing/traced-work.ts';
import type { ScriptName } from './script-runner.ts';

const READ: SpanStart = {
  name: 'read ledger',
  kind: 'client',
  attributes: { 'db.system.name': 'redis', 'db.operation.name': 'read' },
};

/** The span of a read, however many commands it is made of. */
export const READ_START = (): SpanStart => READ;

/** The span of a script call. @param size how many writes travel together */
export function scriptStart(script: ScriptName, size: number): SpanStart {
  return {
    name: `EVALSHA ${script}`,
    kind: 'client',
    attributes: {
      'db.system.name': 'redis',
      'db.operation.name': 'EVALSHA',
      'db.stored_procedure.name': script,
      'db.operation.batch.size': size,
    },
  };
}

/** Runs a script call that carries the writes of several in one span of theirs. */
export function tracedScript<Reply>(
  script: ScriptName,
  batch: readonly Waits[],
  run: () => Promise<Reply>,
): Promise<Reply> {
  return sharedWork(batch, () => scriptStart(script, batch.length), run);
}
