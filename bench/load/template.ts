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

/** Order id to put into a sample request. */
export const SAMPLE_ORDER_ID = `order-${ZEROS}`;

/** Coupon id to put into a sample request: the user's own takes its place. */
export const SAMPLE_COUPON_ID = 'c'.repeat(44);

/** A request as bytes, and where its numbers go. Travels as JSON to the generator. */
export interface RequestTemplate {
  readonly base64: string;
  readonly userOffsets: readonly number[];
  readonly requestOffsets: readonly number[];
  readonly orderOffsets?: readonly number[];
  readonly couponOffsets?: readonly number[];
}

/** Which users claim: serial number `n` is user `n`, or, with `users`, one of that many in a scattered order. */
export interface Population {
  readonly firstSerial: number;
  readonly users?: number;
  /** Number of the first of those users; 0 unless told. */
  readonly firstUser?: number;
  /** The coupon each serial number uses, from the first one on; requests end with them. */
  readonly coupons?: readonly string[];
}

/** Step between users of a bounded population; a prime, so that every user comes up equally often for any usual number. */
const SCATTER_STEP = 7919;

/** The template of an encoded message that holds the sample ids. */
export function createTemplate(message: Uint8Array): RequestTemplate {
  const bytes = Buffer.from(message);
  const digitsOf = (sample: string): number[] =>
    findAll(bytes, sample).map((at) => at + sample.length - SERIAL_DIGITS);
  return {
    base64: bytes.toString('base64'),
    userOffsets: digitsOf(SAMPLE_USER_ID),
    requestOffsets: digitsOf(SAMPLE_REQUEST_ID),
    orderOffsets: digitsOf(SAMPLE_ORDER_ID),
    couponOffsets: findAll(bytes, SAMPLE_COUPON_ID),
  };
}

function findAll(bytes: Buffer, text: string): number[] {
  const offsets: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) offsets.push(at);
  return offsets;
}

/** Number of the user who makes the call with this serial number. */
export function userOfSerial(serial: number, population: Population): number {
  const { users, firstUser = 0 } = population;
  return users === undefined ? serial : firstUser + ((serial * SCATTER_STEP) % users);
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

  /** The request of one serial number, in memory of its own; the next ones are not moved on. */
  of(serial: number): Buffer {
    const message = Buffer.from(this.#message);
    this.#fillItem(message, this.#prefixBytes, 0, serial);
    return message;
  }

  /** Writes the next serial numbers into a request that starts at `offset` of `target`. */
  fill(target: Buffer, offset: number): void {
    const { items } = this;
    for (let item = 0; item < items; item += 1) this.#fillItem(target, offset, item, this.#serial + item);
    this.#serial += items;
  }

  #fillItem(target: Buffer, offset: number, item: number, serial: number): void {
    const { userOffsets, requestOffsets, orderOffsets, couponOffsets } = this.#template;
    for (const offsets of [requestOffsets, orderOffsets]) {
      const at = offsets?.[item];
      if (at !== undefined) writeDigits(target, offset + at, serial);
    }
    const userOffset = userOffsets[item];
    if (userOffset !== undefined) {
      writeDigits(target, offset + userOffset, userOfSerial(serial, this.#population));
    }
    const couponOffset = couponOffsets?.[item];
    const coupon = this.#population.coupons?.[serial - this.#population.firstSerial];
    if (couponOffset !== undefined && coupon !== undefined)
      target.write(coupon, offset + couponOffset, 'latin1');
  }
}

function writeDigits(target: Buffer, offset: number, value: number): void {
  let rest = value;
  for (let at = offset + SERIAL_DIGITS - 1; at >= offset; at -= 1) {
    target[at] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
