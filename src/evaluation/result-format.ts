/**
 * The outcomes of a batch as one array of bytes. All numbers are little endian.
 *
 * | Bytes | Meaning of one frame |
 * |---|---|
 * | 4 | length of the payload |
 * | 1 | kind: 0 answered, 1 refused, 2 needs versions |
 * | 4 | microseconds the evaluation took |
 * | n | response message; or JSON of the refusal; or for each version 4 ref and 4 version |
 */
import type { FieldViolation, RefusalReason } from '../domain/refusal.ts';
import type { VersionName } from '../engine/rule-table.ts';

/** A refusal on its way out of a worker. */
export interface CarriedRefusal {
  readonly reason: RefusalReason;
  readonly message: string;
  readonly violations?: readonly FieldViolation[];
  /** What went wrong underneath, for the log. */
  readonly cause?: string;
}

/** What became of one item. */
export type Outcome =
  | { readonly kind: 'answered'; readonly response: Uint8Array }
  | { readonly kind: 'refused'; readonly refusal: CarriedRefusal }
  | { readonly kind: 'needs'; readonly versions: readonly VersionName[] };

/** An outcome and what it cost. */
export interface TimedOutcome {
  readonly outcome: Outcome;
  readonly microseconds: number;
}

const KINDS = ['answered', 'refused', 'needs'] as const satisfies readonly Outcome['kind'][];
const HEAD_BYTES = 4 + 1 + 4;
const VERSION_BYTES = 8;

function payloadOf(outcome: Outcome): Uint8Array {
  switch (outcome.kind) {
    case 'answered':
      return outcome.response;
    case 'refused':
      return Buffer.from(JSON.stringify(outcome.refusal));
    case 'needs': {
      const bytes = Buffer.allocUnsafe(outcome.versions.length * VERSION_BYTES);
      let at = 0;
      for (const { ref, version } of outcome.versions) {
        at = bytes.writeUInt32LE(ref, at);
        at = bytes.writeUInt32LE(version, at);
      }
      return bytes;
    }
  }
}

function outcomeOf(kind: number, payload: Buffer): Outcome {
  switch (KINDS[kind]) {
    case 'answered':
      return { kind: 'answered', response: payload };
    case 'refused':
      return { kind: 'refused', refusal: JSON.parse(payload.toString()) };
    case 'needs':
      return { kind: 'needs', versions: versionsIn(payload) };
    default:
      throw new Error(`no kind of outcome has the number ${kind}`);
  }
}

function versionsIn(payload: Buffer): VersionName[] {
  return Array.from({ length: payload.length / VERSION_BYTES }, (_, index) => ({
    ref: payload.readUInt32LE(index * VERSION_BYTES),
    version: payload.readUInt32LE(index * VERSION_BYTES + 4),
  }));
}

/** The outcomes in memory of their own, which may be transferred. */
export function encodeResult(outcomes: readonly TimedOutcome[]): Buffer<ArrayBuffer> {
  const payloads = outcomes.map(({ outcome }) => payloadOf(outcome));
  const size = payloads.reduce((sum, payload) => sum + HEAD_BYTES + payload.length, 0);
  const buffer = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const [index, { outcome, microseconds }] of outcomes.entries()) {
    const payload = payloads[index] ?? new Uint8Array();
    at = buffer.writeUInt32LE(payload.length, at);
    at = buffer.writeUInt8(KINDS.indexOf(outcome.kind), at);
    at = buffer.writeUInt32LE(Math.min(Math.round(microseconds), 0xffff_ffff), at);
    buffer.set(payload, at);
    at += payload.length;
  }
  return buffer;
}

/** The outcomes of a batch in its order; responses are views of `result`. */
export function decodeResult(result: Uint8Array): TimedOutcome[] {
  const buffer = Buffer.from(result.buffer, result.byteOffset, result.byteLength);
  const outcomes: TimedOutcome[] = [];
  for (let at = 0; at < buffer.length; ) {
    const start = at + HEAD_BYTES;
    const end = start + buffer.readUInt32LE(at);
    const outcome = outcomeOf(buffer.readUInt8(at + 4), buffer.subarray(start, end));
    outcomes.push({ outcome, microseconds: buffer.readUInt32LE(at + 5) });
    at = end;
  }
  return outcomes;
}
