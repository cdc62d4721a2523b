/**
 * Requests as prepared bytes with places for numbers.
 *
 * A generator that encodes a message per call measures its own encoder. Here a request is encoded once with a serial number of
 * zeros, and only the digits are written for each call, so every call still has its own user and request id.
 */

/** Digits of a serial number inside a user id or request id. */
export const SERIAL_DIGITS = 12;

const ZEROS = '0'.repeat(SERIAL_DIGITS);

/** User id to put into a sample request: the digits are replaced for each call. */
export const SAMPLE_USER_ID = `user-${ZEROS}`;

/** Request id to put into a sample request; 36 characters, as long as a UUID. */
export const SAMPLE_REQUEST_ID = `bench-claim-request-id--${ZEROS}`;

/** A request as bytes, and where its numbers go. Travels as JSON to the generator. */
export interface RequestTemplate {
  readonly base64: string;
  readonly userOffsets: readonly number[];
  readonly requestOffsets: readonly number[];
}

/** Which users claim: serial number `n` is user `n`, or, with `users`, one of that many in a scattered order. */
export interface Population {
  readonly firstSerial: number;
  readonly users?: number;
}

/** Step between users of a bounded population; a prime, so that every user comes up equally often for any usual number. */
const SCATTER_STEP = 7919;

/** The template of an encoded message that holds the sample ids. */
export function createTemplate(message: Uint8Array): RequestTemplate {
  const bytes = Buffer.from(message);
  return {
    base64: bytes.toString('base64'),
    userOffsets: findAll(bytes, SAMPLE_USER_ID).map((at) => at + SAMPLE_USER_ID.length - SERIAL_DIGITS),
    requestOffsets: findAll(bytes, SAMPLE_REQUEST_ID).map(
      (at) => at + SAMPLE_REQUEST_ID.length - SERIAL_DIGITS,
    ),
  };
}

function findAll(bytes: Buffer, text: string): number[] {
  const offsets: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) offsets.push(at);
  return offsets;
}

/** Number of the user who makes the call with this serial number. */
export function userOfSerial(serial: number, population: Population): number {
  return population.users === undefined ? serial : (serial * SCATTER_STEP) % population.users;
}

/** Hands out the requests of one generator, each with the next serial numbers. */
export class RequestSource {
  readonly #message: Buffer;
  readonly #template: RequestTemplate;
  readonly #population: Population;
  readonly #prefixBytes: number;
  #serial: number;

  /** `prefixBytes` of room are left in front of each message, filled by `writePrefix` once. */
  constructor(template: RequestTemplate, population: Population, prefix: Buffer = Buffer.alloc(0)) {
    this.#message = Buffer.concat([prefix, Buffer.from(template.base64, 'base64')]);
    this.#prefixBytes = prefix.length;
    this.#template = template;
    this.#population = population;
    this.#serial = population.firstSerial;
  }

  /** Claims in one request; a request without request ids is one item. */
  get items(): number {
    const { userOffsets, requestOffsets } = this.#template;
    return Math.max(1, userOffsets.length, requestOffsets.length);
  }

  /** Serial number of the first claim of the next request. */
  get nextSerial(): number {
    return this.#serial;
  }

  /** The next request, in memory of its own. */
  next(): Buffer {
    const message = Buffer.allocUnsafe(this.#message.length);
    this.#message.copy(message);
    this.fill(message, this.#prefixBytes);
    return message;
  }

  /** Writes the next serial numbers into a request that starts at `offset` of `target`. */
  fill(target: Buffer, offset: number): void {
    const { userOffsets, requestOffsets } = this.#template;
    const { items } = this;
    for (let item = 0; item < items; item += 1) {
      const serial = this.#serial + item;
      const requestOffset = requestOffsets[item];
      if (requestOffset !== undefined) writeDigits(target, offset + requestOffset, serial);
      const userOffset = userOffsets[item];
      if (userOffset !== undefined) {
        writeDigits(target, offset + userOffset, userOfSerial(serial, this.#population));
      }
    }
    this.#serial += items;
  }
}

function writeDigits(target: Buffer, offset: number, value: number): void {
  let rest = value;
  for (let at = offset + SERIAL_DIGITS - 1; at >= offset; at -= 1) {
    target[at] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
