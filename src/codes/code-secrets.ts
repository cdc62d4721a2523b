/** How codes are kept: found by a keyed digest, shown again from ciphertext. Neither tells a code without the key. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

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
    return createHmac('sha256', this.digestKey).update(normalised).digest();
  }

  /** The ciphertext of a code as people see it: nonce, tag, and as many bytes as the code has. It is tied to the digest. */
  seal(code: string, digest: Buffer): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.cipherKey, nonce).setAAD(digest);
    const sealed = Buffer.concat([cipher.update(code, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  /** The code in a ciphertext. Throws when it was made with another key, or for another digest. */
  open(sealed: Buffer, digest: Buffer): string {
    const body = NONCE_BYTES + TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, this.cipherKey, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(digest).setAuthTag(sealed.subarray(NONCE_BYTES, body));
    return Buffer.concat([decipher.update(sealed.subarray(body)), decipher.final()]).toString('utf8');
  }
}

function derivedKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, KEY_BYTES));
}
