/** How codes are kept: found by a keyed digest, shown again from ciphertext. Neither tells a code without the key. */
import { derivedKey, keyedDigest, openText, sealText } from '../privacy/sealed-text.ts';

/** The two keys of codes, both derived from one secret; the same secret must reach every process. */
export class CodeSecrets {
  private readonly digestKey: Buffer;
  private readonly cipherKey: Buffer;

  constructor(secret: string) {
    this.digestKey = derivedKey(secret, 'hongbao code digest 1');
    this.cipherKey = derivedKey(secret, 'hongbao code cipher 1');
  }

  /** The digest a normalised code is found by: HMAC-SHA-256, 32 bytes. */
  digest(normalised: string): Buffer {
    return keyedDigest(this.digestKey, normalised);
  }

  /** The ciphertext of a code as people see it, tied to its digest; see `privacy/sealed-text.ts`. */
  seal(code: string, digest: Buffer): Buffer {
    return sealText(this.cipherKey, code, digest);
  }

  /** The code in a ciphertext. Throws when it was made with another key, or for another digest. */
  open(sealed: Buffer, digest: Buffer): string {
    return openText(this.cipherKey, sealed, digest);
  }
}
