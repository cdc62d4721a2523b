/**
 * Sealing short texts and finding them by digests. AES-256-GCM with a fresh nonce each, tied to bytes that say where a text
 * belongs, so that one moved elsewhere does not open:
 *
 *     sealed = nonce (12), tag (16), ciphertext (as many bytes as the text)
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const TEXT_AT = NONCE_BYTES + TAG_BYTES;

/** A key of its own for each purpose, so that what is learnt about one says nothing about the others. */
export function derivedKey(secret: string | Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, KEY_BYTES));
}

/** The sealed text, tied to these bytes. */
export function sealText(key: Buffer, text: string, tiedTo: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(tiedTo);
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
}

/** The text that was sealed. Throws when it is damaged, or was sealed with another key or tied to other bytes. */
export function openText(key: Buffer, sealed: Buffer, tiedTo: Buffer): string {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(tiedTo).setAuthTag(sealed.subarray(NONCE_BYTES, TEXT_AT));
  return Buffer.concat([decipher.update(sealed.subarray(TEXT_AT)), decipher.final()]).toString('utf8');
}

/** HMAC-SHA-256 of a text, 32 bytes: equal texts are found by it, and nobody without the key can try texts. */
export function keyedDigest(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
