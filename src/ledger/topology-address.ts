/**
 * Where Redis is, as the address of the configuration says it:
 *
 *     redis://host:port                                      one server
 *     redis+sentinel://host:port,host:port/master-name       the master that these sentinels name
 *     redis+cluster://host:port,host:port                    a cluster that these nodes belong to
 *
 * `rediss` in place of `redis` speaks TLS. User and password stand before the hosts and are those of the data nodes;
 * sentinels that want a password of their own get it as `?sentinel-password=…`.
 */

/** What kind of set-up Redis runs in. */
export type TopologyKind = 'single' | 'sentinel' | 'cluster';

/** A set-up of Redis. Addresses are URLs the driver takes. */
export interface TopologyAddress {
  readonly kind: TopologyKind;
  /** The server itself; sentinels; or some nodes of the cluster. */
  readonly seeds: readonly string[];
  /** The name the sentinels know the master by; empty otherwise. */
  readonly masterName: string;
  /** The address of a data node at this host and port, with the credentials. */
  nodeUrl(host: string, port: number): string;
}

const SHAPE = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^@/]*)@)?([^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/;
const HOST = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;
const MASTER_NAME = /^[A-Za-z0-9._-]+$/;
const SENTINEL_PORT = 26_379;
const REDIS_PORT = 6_379;
const LAST_PORT = 65_535;

/** Reads an address. Throws RangeError that says what is wrong with it, without repeating it: it may hold a password. */
export function parseTopologyAddress(address: string): TopologyAddress {
  const single = address.startsWith('redis://') || address.startsWith('rediss://');
  if (single) return { kind: 'single', seeds: [address], masterName: '', nodeUrl: () => address };
  const [, scheme = '', kind, credentials, hosts = '', path = '', query] = SHAPE.exec(address) ?? [];
  if (kind !== 'sentinel' && kind !== 'cluster')
    throw new RangeError('not redis://, rediss://, redis+sentinel:// or redis+cluster://');
  const nodeUrl = (host: string, port: number): string => urlOf(scheme, credentials, host, port);
  const parsed = hosts.split(',').map((host) => parseHost(host, kind));
  return kind === 'cluster'
    ? cluster(parsed, path, query, nodeUrl)
    : { ...sentinels(scheme, parsed, path, query), nodeUrl };
}

type Host = readonly [host: string, port: number];

function cluster(
  hosts: readonly Host[],
  path: string,
  query: string | undefined,
  nodeUrl: TopologyAddress['nodeUrl'],
): TopologyAddress {
  if (path !== '' || query !== undefined)
    throw new RangeError('a cluster has no database number and no options');
  return { kind: 'cluster', seeds: hosts.map((host) => nodeUrl(...host)), masterName: '', nodeUrl };
}

function sentinels(scheme: string, hosts: readonly Host[], name: string, query: string | undefined) {
  if (!MASTER_NAME.test(name)) throw new RangeError('name the master after the sentinels: /master-name');
  const options = new URLSearchParams(query);
  const password = options.get('sentinel-password');
  const credentials = password === null ? undefined : `:${encodeURIComponent(password)}`;
  const seeds = hosts.map(([host, port]) => urlOf(scheme, credentials, host, port));
  return { kind: 'sentinel', seeds, masterName: name } as const;
}

function parseHost(text: string, kind: 'sentinel' | 'cluster'): Host {
  const [, host, port = String(kind === 'sentinel' ? SENTINEL_PORT : REDIS_PORT)] = HOST.exec(text) ?? [];
  const number = Number(port);
  if (host === undefined || number < 1 || number > LAST_PORT)
    throw new RangeError('hosts are written host:port,host:port');
  return [host, number];
}

function urlOf(scheme: string, credentials: string | undefined, host: string, port: number): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `${scheme}://${credentials === undefined ? '' : `${credentials}@`}${name}:${port}`;
}
