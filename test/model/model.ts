/** The model: what each operation must answer, and what it must leave behind. It knows nothing of stores. */
import { type Decided, end, hold, lapse } from './model-orders.ts';
import { giveBack, refund } from './model-returns.ts';
import type { ModelState } from './model-state.ts';
import { award, earn, hide, issue, reverse, revoke } from './model-wallet.ts';
import type { Answer, Operation } from './operations.ts';

/** Carries an operation out on the state, and answers it. `decided` is what an order had decided before. */
export function carryOut(state: ModelState, operation: Operation, decided?: Decided): Answer {
  switch (operation.kind) {
    case 'claim':
    case 'grant':
    case 'exchange':
      return issue(state, operation);
    case 'revoke':
      return revoke(state, operation);
    case 'hide':
      return hide(state, operation);
    case 'hold':
      return hold(state, operation, decided);
    case 'commit':
    case 'release':
      return end(state, operation);
    case 'lapse':
      return lapse(state, operation);
    case 'return':
      return giveBack(state, operation);
    case 'refund':
      return refund(state, operation);
    case 'earn':
      return earn(state, operation);
    case 'reverse':
      return reverse(state, operation);
    case 'award':
      return award(state, operation);
  }
}
