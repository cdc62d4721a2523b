import {
  type CelFunc,
  type CelList,
  CelScalar,
  type CelValue,
  celFunc,
  celList,
  celMethod,
  listType,
} from '@bufbuild/cel';
import { APPEND } from './syntax.ts';

const LIST = listType(CelScalar.DYN);
const MAX_INT = 2n ** 63n - 1n;

/** What the lists that a loop is gathering hold. */
const gathering = new WeakMap<CelList, CelValue[]>();

/**
 * Adds what one round of `map` or `filter` found. The library would wrap the list once more each round, so that reading the
 * result of n rounds takes n² steps and n frames of the stack; here the list grows in place, which nobody can see because
 * nothing but the loop holds it.
 */
function append(list: CelList, added: CelList): CelList {
  const known = gathering.get(list);
  const values = known ?? [...list];
  values.push(...added);
  if (known !== undefined) return list;
  const growing = celList(values);
  gathering.set(growing, values);
  return growing;
}

/** `[1, 2].sum()`: the sum of whole numbers; 0 of none. Fails on anything else and on overflow. */
function sum(this: CelList): bigint {
  let total = 0n;
  for (const value of this) {
    if (typeof value !== 'bigint') throw new Error('sum() of something that is no int');
    total += value;
    if (total > MAX_INT || total < -MAX_INT) throw new Error('int overflow during sum()');
  }
  return total;
}

/** Functions on lists beside those of the language. */
export const LIST_FUNCTIONS: CelFunc[] = [
  celFunc(APPEND, [LIST, LIST], LIST, append),
  celMethod('sum', LIST, [], CelScalar.INT, sum),
];
