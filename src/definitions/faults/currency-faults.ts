import { isCurrency } from '../../domain/money.ts';
import type { FaultFinder } from './report.ts';

const SHAPE = /^[A-Z]{3}$/;

/** A currency that has the right shape and does not exist. */
export const currencyFaults: FaultFinder = ({ currency }, report) => {
  if (SHAPE.test(currency) && !isCurrency(currency)) {
    report('currency', 'is not a currency known by its ISO 4217 code');
  }
};
