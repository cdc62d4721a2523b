import { AcknowledgementLevel } from '../../gen/hongbao/v1/promotion_pb.ts';
import type { FaultFinder } from './report.ts';

/** A level that this release cannot honour is refused, never silently weakened. */
export const acknowledgementFaults: FaultFinder = ({ acknowledgement }, report) => {
  if (acknowledgement === AcknowledgementLevel.LEDGER) {
    report('acknowledgement', 'the level LEDGER is not available yet; the strongest one is DURABLE');
  }
};
