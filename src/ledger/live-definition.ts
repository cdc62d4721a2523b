/**
 * The live part of a promotion: what a claim must know, as the ledger keeps it in each partition.
 *
 * Binary layout (field `d` of a promotion record), shared with `scripts/claim.lua`; integers unsigned, big endian, times in
 * ms since the epoch, 0 = absent:
 *
 *     format u8 (1), state u8, claimable u8, version u32, per-user limit u32, claim start u48, claim end u48,
 *     validity u8 (1 fixed, 2 after claim), start or duration u48, end u48,
 *     acknowledgement u8 (1 fast, 2 durable, 3 ledger),
 *     target u8, target argument u48, tags u8, tag* (length u8, bytes)
 */
import { MS_PER_DAY } from '../domain/durations.ts';
import type {
  Acknowledgement,
  LiveDefinition,
  LiveState,
  Target,
  Validity,
} from '../domain/live-definition.ts';

const DEFINITION_FORMAT = 1;
const HEADER_BYTES = 45;
const ACKNOWLEDGEMENTS: readonly Acknowledgement[] = ['fast', 'durable', 'ledger'];
const STATES: readonly LiveState[] = ['inactive', 'active', 'finished', 'deleted'];

interface TargetCode {
  readonly code: number;
  readonly argument: number;
  readonly tags: readonly string[];
}

function targetCode(target: Target): TargetCode {
  switch (target.kind) {
    case 'everyone':
      return { code: 0, argument: 0, tags: [] };
    case 'new_users':
      return target.registeredWithinDays === undefined
        ? { code: 1, argument: 0, tags: [] }
        : { code: 2, argument: target.registeredWithinDays * MS_PER_DAY, tags: [] };
    case 'tags':
      return { code: 3, argument: 0, tags: target.anyOf };
  }
}

function validityCode(validity: Validity): readonly [kind: number, start: number, end: number] {
  return validity.kind === 'fixed'
    ? [1, validity.startMs ?? 0, validity.endMs ?? 0]
    : [2, validity.days * MS_PER_DAY, 0];
}

/** The bytes of field `d`. */
export function encodeLiveDefinition(definition: LiveDefinition): Buffer {
  const target = targetCode(definition.target);
  const [validity, start, end] = validityCode(definition.validity);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(DEFINITION_FORMAT, 0);
  header.writeUInt8(STATES.indexOf(definition.state), 1);
  header.writeUInt8(definition.claimable ? 1 : 0, 2);
  header.writeUInt32BE(definition.version, 3);
  header.writeUInt32BE(definition.perUserLimit ?? 0, 7);
  header.writeUIntBE(definition.claimStartMs ?? 0, 11, 6);
  header.writeUIntBE(definition.claimEndMs ?? 0, 17, 6);
  header.writeUInt8(validity, 23);
  header.writeUIntBE(start, 24, 6);
  header.writeUIntBE(end, 30, 6);
  header.writeUInt8(ACKNOWLEDGEMENTS.indexOf(definition.acknowledgement) + 1, 36);
  header.writeUInt8(target.code, 37);
  header.writeUIntBE(target.argument, 38, 6);
  header.writeUInt8(target.tags.length, 44);
  return Buffer.concat([header, encodeTags(target.tags)]);
}

/** Tags as scripts read them: each with its length in one byte before it. */
export function encodeTags(tags: readonly string[]): Buffer {
  return Buffer.concat(
    tags.flatMap((tag) => {
      const bytes = Buffer.from(tag);
      return [Buffer.of(bytes.length), bytes];
    }),
  );
}

/** What a stored definition says, without the tags. Times and limits are absent when there are none. */
export interface StoredDefinition {
  readonly state: LiveState;
  readonly claimable: boolean;
  readonly version: number;
  readonly perUserLimit: number | undefined;
  readonly claimStartMs: number | undefined;
  readonly claimEndMs: number | undefined;
  readonly validity: Validity;
}

/** Reads the bytes of field `d`. Throws RangeError when they are not a definition. */
export function decodeLiveDefinition(bytes: Buffer): StoredDefinition {
  const state = STATES[bytes.length < HEADER_BYTES ? -1 : bytes.readUInt8(1)];
  if (state === undefined || bytes.readUInt8(0) !== DEFINITION_FORMAT)
    throw new RangeError('not a live definition');
  return {
    state,
    claimable: bytes.readUInt8(2) === 1,
    version: bytes.readUInt32BE(3),
    perUserLimit: bytes.readUInt32BE(7) || undefined,
    claimStartMs: bytes.readUIntBE(11, 6) || undefined,
    claimEndMs: bytes.readUIntBE(17, 6) || undefined,
    validity: validityOf(bytes),
  };
}

function validityOf(bytes: Buffer): Validity {
  const first = bytes.readUIntBE(24, 6);
  if (bytes.readUInt8(23) !== 1) return { kind: 'days', days: first / MS_PER_DAY };
  const endMs = bytes.readUIntBE(30, 6);
  return {
    kind: 'fixed',
    ...(first > 0 && { startMs: first }),
    ...(endMs > 0 && { endMs }),
  };
}
