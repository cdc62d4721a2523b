/** Certificates made on the spot, so that no private key lies in the repository and none expires. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

const SEQUENCE = 0x30;
const SET = 0x31;
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const DNS_NAME = 0x82;
const URI_NAME = 0x86;
const IP_NAME = 0x87;

/** A certificate and its key, both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs certificates of this test. */
export interface Authority extends Certificate {
  /** Signs a certificate for names such as `DNS:localhost`, `URI:spiffe://shop/checkout` or `IP:127.0.0.1`. */
  issue(...names: string[]): Certificate;
}

/** A new authority, known to nobody yet. */
export function createAuthority(): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = `authority ${randomBytes(4).toString('hex')}`;
  const own = certificate({
    subject: name,
    issuer: name,
    signer: pair.privateKey,
    publicKey: pair.publicKey,
  });
  return {
    cert: own,
    key: pem(pair.privateKey),
    issue(...names) {
      const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const parts = { subject: 'leaf', issuer: name, signer: pair.privateKey, publicKey: leaf.publicKey };
      return { cert: certificate({ ...parts, names }), key: pem(leaf.privateKey) };
    },
  };
}

function pem(key: KeyObject): string {
  return String(
    createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' })).export({ type: 'pkcs8', format: 'pem' }),
  );
}

interface Parts {
  readonly subject: string;
  readonly issuer: string;
  readonly signer: KeyObject;
  readonly publicKey: KeyObject;
  /** Absent = an authority. */
  readonly names?: readonly string[];
}

function certificate({ subject, issuer, signer, publicKey, names }: Parts): string {
  const algorithm = der(SEQUENCE, oid(ECDSA_WITH_SHA256));
  const extension = names === undefined ? authorityExtension() : namesExtension(names);
  const body = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer),
    der(SEQUENCE, time('20200101000000Z'), time('21200101000000Z')),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, extension)),
  );
  const signature = bits(sign('sha256', body, signer));
  const base64 = der(SEQUENCE, body, algorithm, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const groups = [first * 40 + second, ...rest].map((arc) => {
    const bytes = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80);
    return bytes;
  });
  return der(0x06, Buffer.from(groups.flat()));
}

const time = (text: string): Buffer => der(0x18, Buffer.from(text));
const bits = (bytes: Buffer): Buffer => der(0x03, Buffer.from([0]), bytes);
const distinguishedName = (name: string): Buffer =>
  der(SEQUENCE, der(SET, der(SEQUENCE, oid(COMMON_NAME), der(0x0c, Buffer.from(name)))));

function authorityExtension(): Buffer {
  const isAuthority = der(SEQUENCE, der(0x01, Buffer.from([0xff])));
  return der(SEQUENCE, oid(BASIC_CONSTRAINTS), der(0x01, Buffer.from([0xff])), der(0x04, isAuthority));
}

function namesExtension(names: readonly string[]): Buffer {
  const general = names.map((name) => {
    const [, kind = '', value = ''] = /^(\w+):(.*)$/.exec(name) ?? [];
    if (kind === 'IP') return der(IP_NAME, Buffer.from(value.split('.').map(Number)));
    return der(kind === 'URI' ? URI_NAME : DNS_NAME, Buffer.from(value));
  });
  return der(SEQUENCE, oid(SUBJECT_ALT_NAME), der(0x04, der(SEQUENCE, ...general)));
}
