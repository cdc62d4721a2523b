/**
 * Keeps small secrets in Postgres: phones, names, secrets of webhooks. AES-256-GCM with a fresh nonce each; the place a value
 * belongs to is authenticated with it, so that a ciphertext moved to another row does not open.
 *
 *     sealed = version u8 (1), key name length u8, key name, sealed text (`sealed-text.ts`)
 *
 * The key's name is stored beside what it keeps, so that keys can be changed: new values take the first key, old ones open as
 * long as theirs is still configured.
 */
import { derivedKey, keyedDigest, openText, sealText } from './sealed-text.ts';

/** A key and its name. */
export interface BoxKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** A sealed value that does not open: damaged, of another place, or its key is no longer configured. */
export class SealedValueError extends Error {
  override readonly name = 'SealedValueError';
}

const VERSION = 1;
const HEADER_BYTES = 2;

interface DerivedKey {
  readonly id: string;
  readonly sealing: Buffer;
  readonly lookUp: Buffer;
}

function derive({ id, key }: BoxKey): DerivedKey {
  const keyFor = (purpose: string) => derivedKey(key, `hongbao ${purpose}`);
  return { id, sealing: keyFor('seal'), lookUp: keyFor('look up') };
}

/** Seals and opens values, and makes the digests they are found by. */
export class SecretBox {
  private readonly newest: DerivedKey;
  private readonly keys: readonly DerivedKey[];

  /** `keys`: the newest first, at least one. */
  constructor(keys: readonly BoxKey[]) {
    this.keys = keys.map(derive);
    const [newest] = this.keys;
    if (newest === undefined) throw new Error('there is no key to keep secrets by');
    this.newest = newest;
  }

  /** What every value begins with that is sealed from now on; older ones begin otherwise. */
  get newestHeader(): Buffer {
    const { id } = this.newest;
    return Buffer.concat([Buffer.from([VERSION, id.length]), Buffer.from(id)]);
  }

  /** The sealed text; `place` says what and whose it is, such as `phone:u1`. */
  seal(text: string, place: string): Buffer {
    return Buffer.concat([this.newestHeader, sealText(this.newest.sealing, text, Buffer.from(place))]);
  }

  /** The text that was sealed. Throws {@link SealedValueError}. */
  open(sealed: Uint8Array, place: string): string {
    const bytes = Buffer.from(sealed);
    const sealedAt = HEADER_BYTES + (bytes[1] ?? 0);
    const id = bytes.toString('latin1', HEADER_BYTES, sealedAt);
    const key = bytes[0] === VERSION ? this.keys.find((candidate) => candidate.id === id) : undefined;
    if (key === undefined) throw new SealedValueError('it was sealed with a key that is not configured');
    try {
      return openText(key.sealing, bytes.subarray(sealedAt), Buffer.from(place));
    } catch (cause) {
      throw new SealedValueError('it is damaged, or belongs elsewhere', { cause });
    }
  }

  /** Keyed digests of a text, one for each key, the newest first: what is stored carries the digest of the key at the time. */
  digests(text: string, kind: string): readonly [Buffer, ...Buffer[]] {
    const digestBy = ({ lookUp }: DerivedKey) => keyedDigest(lookUp, `${kind}:${text}`);
    return [digestBy(this.newest), ...this.keys.slice(1).map(digestBy)];
  }
}
