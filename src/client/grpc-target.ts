/** One address, or several of the same service: `host:port`, or a target of gRPC with its scheme (`dns:///host:port`). */
export type GrpcAddress = string | readonly string[];

const SCHEME = /^(dns|ipv4|ipv6|unix|xds):/;
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}:\d{1,5}$/;
const IPV6 = /^\[[0-9a-f:]+\]:\d{1,5}$/i;

/**
 * The target that makes gRPC know every address, so that calls can go round. A name is looked up again when a connection ends,
 * and stands for all addresses it has.
 *
 * @throws Error when several addresses are given that gRPC cannot take together.
 */
export function grpcTarget(address: GrpcAddress): string {
  const addresses = typeof address === 'string' ? [address] : address;
  const [first, ...others] = addresses;
  if (first === undefined || addresses.includes('')) throw new Error('address: give at least one host:port');
  if (addresses.every((one) => IPV4.test(one))) return `ipv4:${addresses.join(',')}`;
  if (addresses.every((one) => IPV6.test(one))) return `ipv6:${addresses.join(',')}`;
  if (others.length > 0)
    throw new Error(
      'address: several addresses must all be IPv4 or all IPv6; give one name that has them all',
    );
  return SCHEME.test(first) ? first : `dns:///${first}`;
}
