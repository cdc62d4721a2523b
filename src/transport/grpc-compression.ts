/** Messages that come compressed. Answers never are: those of a claim would grow. */
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { Refusal } from '../domain/refusal.ts';

const DECODERS = new Map([
  ['gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
]);

/** The message in `compressed`, at most `maxBytes` long. Rejects with a Refusal that says why there is none. */
export async function decompress(
  compressed: Buffer,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Buffer> {
  const decode = DECODERS.get(encoding ?? 'identity');
  if (decode === undefined)
    throw new Refusal('INVALID_REQUEST', `grpc-encoding is none of ${[...DECODERS.keys()].join(', ')}`);
  try {
    return await decode(compressed, { maxOutputLength: maxBytes });
  } catch (error) {
    throw refusalOf(error, maxBytes);
  }
}

function refusalOf(error: unknown, maxBytes: number): Refusal {
  const isTooLarge = error instanceof RangeError;
  return isTooLarge
    ? new Refusal(
        'MESSAGE_TOO_LARGE',
        `The request has more than ${maxBytes} bytes; at most ${maxBytes} are taken`,
      )
    : new Refusal('INVALID_REQUEST', 'The message cannot be decompressed');
}
