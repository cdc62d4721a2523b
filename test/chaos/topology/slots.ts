/** Moves a slot of a cluster from master to master while it is in use, as `redis-cli --cluster reshard` does. */
import type { ClusterMember } from './cluster-member.ts';

const KEYS_AT_ONCE = 200;
const MIGRATE_TIMEOUT_MS = 5_000;

/** Moves the slot with its keys; answers with their number. The nodes talk directly, not through the proxies. */
export async function moveSlot(
  members: readonly ClusterMember[],
  slot: number,
  source: ClusterMember,
  target: ClusterMember,
): Promise<number> {
  await target.node.admin.cluster('SETSLOT', slot, 'IMPORTING', source.id);
  await source.node.admin.cluster('SETSLOT', slot, 'MIGRATING', target.id);
  let moved = 0;
  for (;;) {
    const keys = await source.node.admin.cluster('GETKEYSINSLOT', slot, KEYS_AT_ONCE);
    if (!Array.isArray(keys) || keys.length === 0) break;
    const place = ['127.0.0.1', target.node.server.port, '', 0, MIGRATE_TIMEOUT_MS] as const;
    await source.node.admin.call('MIGRATE', ...place, 'KEYS', ...keys.map(String));
    moved += keys.length;
  }
  // The new owner first, so that no moment knows none; the rest learn it from each other, and sooner from us.
  const rest = members.filter((member) => member !== target && member !== source);
  for (const { node } of [target, source, ...rest])
    await node.admin.cluster('SETSLOT', slot, 'NODE', target.id).catch(() => undefined);
  return moved;
}
