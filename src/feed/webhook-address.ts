/**
 * Where webhooks may lead. Whoever registers one must not be able to make this product call what is inside its own network,
 * so outside development only https to public addresses is called, and the address is judged after the name was resolved, at
 * the moment of the connection.
 */
import { type LookupAddress, lookup as lookUpName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Refusal } from '../domain/refusal.ts';

/** IPv4 ranges that are not public, by first address and prefix. */
const PRIVATE_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Of IPv6 only global unicast is public, without what carries other addresses inside and documentation. */
const PUBLIC_IPV6: readonly (readonly [string, number])[] = [['2000::', 3]];
const PRIVATE_IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

function listOf(ranges: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, family);
  return list;
}

const privateIpv4 = listOf(PRIVATE_IPV4, 'ipv4');
const publicIpv6 = listOf(PUBLIC_IPV6, 'ipv6');
const privateIpv6 = listOf(PRIVATE_IPV6, 'ipv6');

/** Does this address lie in the public network? Anything that is no address does not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !privateIpv4.check(address, 'ipv4');
  return family === 6 && publicIpv6.check(address, 'ipv6') && !privateIpv6.check(address, 'ipv6');
}

/** Whose address a webhook may have. `anywhere`: development, where everything is on one machine. */
export type WebhookReach = 'public' | 'anywhere';

/** Checks a URL as far as it can be without a connection. Throws INVALID_REQUEST naming `url`. */
export function requireAddress(text: string, reach: WebhookReach): URL {
  const url = URL.parse(text);
  if (url === null) throw invalidUrl('is not a URL');
  if (url.username !== '' || url.password !== '') throw invalidUrl('must not hold a user or a password');
  if (reach === 'anywhere') return url;
  if (url.protocol !== 'https:') throw invalidUrl('must be https');
  const host = hostOf(url);
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw invalidUrl('must be a public address');
  return url;
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function invalidUrl(description: string): Refusal {
  return new Refusal('INVALID_REQUEST', `The URL ${description}`, {
    violations: [{ field: 'url', description }],
  });
}

/** The name leads to an address that is not public. */
export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';
}

/** Resolves a name as the connection is made, and refuses it when any of its addresses is not public. */
export const lookUpPublic: LookupFunction = (hostname, options, callback) => {
  lookUpName(hostname, { ...options, all: true }, (error, found) => {
    if (error !== null) return callback(error, '', 0);
    const addresses: readonly LookupAddress[] = found;
    const [first] = addresses;
    if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address)))
      return callback(new PrivateAddressError('the host has no public address'), '', 0);
    if (options.all === true) return callback(null, [...addresses]);
    callback(null, first.address, first.family);
  });
};
