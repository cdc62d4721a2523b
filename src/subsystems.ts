/** What calls and jobs share beside the stores: codes, points, the archive's orders, what leaves the product. */
import type { ArchivePlaces } from './archive/places.ts';
import { type Codes, createCodes } from './codes/codes.ts';
import type { EventPorts } from './events/event-ports.ts';
import type { PartitionConnections } from './ledger/partition-connection.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import { Points } from './points/points.ts';
import { type OrderArchive, orderArchive } from './redemption/hydrate-order.ts';
import { PromotionBook } from './ruleset/promotion-book.ts';
import type { RuleSetKeeper } from './ruleset/rule-set-keeper.ts';
import type { Process, Stores } from './stores.ts';

/** These parts. */
export interface Subsystems {
  readonly book: PromotionBook;
  readonly codes: Codes;
  readonly points: Points;
  readonly orders: OrderArchive;
  readonly outbound: Outbound;
  /** What events need, but for what ends orders. */
  readonly events: Omit<EventPorts, 'orders'>;
}

/** What they are made of beside the stores. */
export interface SubsystemPorts extends Process {
  /** Connections for small things beside the ledger's own: counting who tries codes. */
  readonly connections: PartitionConnections;
  readonly places: ArchivePlaces;
}

/** Puts them together; nothing runs. */
export function createSubsystems(
  ports: SubsystemPorts,
  { sql, ledger }: Stores,
  keeper: RuleSetKeeper,
): Subsystems {
  const { config, metrics, logger, connections, places, nowMs } = ports;
  const { codes: settings, events: eventSettings } = config;
  const points = new Points({ ledger, settings: config.points, metrics });
  const outbound = createOutbound(config, { sql, places, metrics, nowMs });
  const { profiles } = outbound;
  return {
    book: new PromotionBook(keeper, sql),
    codes: createCodes({ sql, ledger, connections, rules: keeper, settings, logger, nowMs }),
    points,
    orders: orderArchive({ sql, places, ledger }),
    outbound,
    events: {
      sql,
      ledger,
      rules: keeper,
      points,
      profiles,
      metrics,
      logger,
      settings: eventSettings,
      nowMs,
    },
  };
}
