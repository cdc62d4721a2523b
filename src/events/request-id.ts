/** Request ids of what events bring about. The same occasion gives the same id, so that it counts once. */
import { hash } from 'node:crypto';

const HEX_CHARACTERS = 48;

/** A request id for an occasion, named by parts that are told apart whatever they hold. */
export function requestIdOf(...parts: readonly (string | number)[]): string {
  return `ev.${hash('sha256', JSON.stringify(parts), 'hex').slice(0, HEX_CHARACTERS)}`;
}
