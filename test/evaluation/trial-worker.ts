/** A worker that does what the request says, to try the pools with. It follows the rules like the product's worker. */
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { move } from 'piscina';
import { Refusal } from '../../src/domain/refusal.ts';
import type { EvaluationItem } from '../../src/evaluation/pending-evaluation.ts';
import type { Outcome } from '../../src/evaluation/result-format.ts';
import { RuleLogReader } from '../../src/evaluation/rule-log.ts';
import type { RuleReport } from '../../src/evaluation/rule-report.ts';
import { serveBatch } from '../../src/evaluation/serve-batch.ts';
import { decodeTask } from '../../src/evaluation/task-format.ts';

const reader = new RuleLogReader(workerData.rules);
let version = 0;

function catchUp(): void {
  for (const change of reader.read(Number.POSITIVE_INFINITY)) version = change.ruleSetVersion;
}

function report(): void {
  const message: RuleReport = { threadId, version, faults: [] };
  parentPort?.postMessage(message);
}

async function follow(): Promise<never> {
  for (;;) {
    await reader.untilBehind();
    catchUp();
    report();
  }
}

function answered(text: string): Outcome {
  return { kind: 'answered', response: Buffer.from(text) };
}

function spin(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

function answer(item: EvaluationItem, batchSize: number): Outcome {
  const [command = '', argument = ''] = Buffer.from(item.request).toString().trim().split(' ');
  switch (command) {
    case 'die':
      process.exit(1);
      break;
    case 'hang':
      for (;;);
    case 'spin':
      spin(Number(argument));
      return answered('spun');
    case 'throw':
      throw new TypeError('a bug');
    case 'refuse':
      throw new Refusal('INVALID_REQUEST', 'no', { violations: [{ field: 'cart', description: 'is odd' }] });
    case 'needs':
      return item.bodies.length + item.lookedUp.length > 0
        ? answered('has')
        : { kind: 'needs', versions: [{ ref: 7, version: 3 }] };
    case 'version':
      return answered(String(version));
    case 'thread':
      return answered(String(threadId));
    case 'batch':
      return answered(String(batchSize));
    default:
      return answered(command);
  }
}

catchUp();
report();
void follow();

/** Serves one batch. */
export default (task: Uint8Array): unknown => {
  catchUp();
  const { length } = decodeTask(task);
  return move(serveBatch(task, (item) => answer(item, length)));
};
