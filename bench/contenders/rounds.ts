/** Interleaved rounds: every contender is measured once per round, so that a slow minute of the machine hits all alike. */
import { type ContenderSummary, summarizeRounds } from '../statistics.ts';
import type { Contender, Measurement, Window } from './contender.ts';

/** Told after every measurement. */
export type OnMeasured = (round: number, contender: Contender, measurement: Measurement) => void;

/** Measures all contenders `rounds` times, every second round in reverse order, and sums up. */
export async function runRounds(
  contenders: readonly Contender[],
  rounds: number,
  window: Window,
  onMeasured: OnMeasured,
): Promise<ContenderSummary[]> {
  const measured = new Map<Contender, Measurement[]>(contenders.map((contender) => [contender, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of round % 2 === 1 ? contenders : contenders.toReversed()) {
      const measurement = await contender.measure(window);
      measured.get(contender)?.push(measurement);
      onMeasured(round, contender, measurement);
    }
  }
  return [...measured].map(([contender, all]) => summarizeRounds(contender, all));
}
