/** One node of a cluster: its port for clients and its port for the other nodes each behind a proxy of their own. */
import { freePort } from '../../../tools/servers/free-port.ts';
import { FaultProxy } from '../proxy/fault-proxy.ts';
import { RedisNode } from './redis-node.ts';
import type { SingleOptions } from './single.ts';

const NODE_TIMEOUT_MS = 1_500;
/** Where the sender's id stands in a message between nodes. */
const SENDER_OFFSET = 40;

/** A node, what the cluster calls it, and the proxy that other nodes find it by. */
export interface ClusterMember {
  readonly node: RedisNode;
  readonly id: string;
  readonly bus: FaultProxy;
}

/** Starts a node that belongs to no cluster yet. */
export async function startMember(options: SingleOptions, name: string): Promise<ClusterMember> {
  const busPort = await freePort();
  const bus = await FaultProxy.start({ targetPort: busPort, random: options.random });
  const node = await RedisNode.start({
    name,
    ...options,
    settings: ({ proxy }) => ({
      'cluster-enabled': 'yes',
      'cluster-node-timeout': String(options.downAfterMs ?? NODE_TIMEOUT_MS),
      'cluster-port': String(busPort),
      'cluster-announce-ip': '127.0.0.1',
      'cluster-announce-port': String(proxy),
      'cluster-announce-bus-port': String(bus.port),
      'repl-ping-replica-period': '1',
    }),
  });
  return { node, bus, id: String(await node.admin.cluster('MYID')) };
}

/** Cuts a node off from the others, which lose it, while clients reach it. */
export function isolateMember(members: readonly ClusterMember[], node: RedisNode): () => void {
  const alone = members.find((member) => member.node === node);
  if (alone === undefined) throw new Error(`${node.name} is not in this cluster`);
  const isFromAlone = (greeting: Buffer): boolean =>
    greeting.toString('latin1', SENDER_OFFSET, SENDER_OFFSET + alone.id.length) === alone.id;
  const others = members.filter((member) => member !== alone);
  const undo = [
    alone.bus.cut(),
    node.proxy.cutPeers(),
    ...others.map(({ bus }) => bus.refuseGreeting(isFromAlone)),
  ];
  return () => {
    for (const end of undo) end();
  };
}
