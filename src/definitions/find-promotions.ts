import { type Promotion, PromotionState } from '../gen/hongbao/v1/promotion_pb.ts';
import type { PromotionOrder } from '../gen/hongbao/v1/promotion_service_pb.ts';
import type { DefinitionPorts } from './definition-ports.ts';
import { issuedCounts } from './issued-counts.ts';
import { promotionView } from './promotion-view.ts';
import {
  type ListedPromotion,
  listPromotions,
  type PageKey,
  type PromotionFilter,
} from './store/list-promotions.ts';

/** What staff look for. States are those people see: a promotion may be finished without being marked so. */
export interface PromotionQuery extends Omit<PromotionFilter, 'storedStates'> {
  /** Empty: any. */
  readonly states: readonly PromotionState[];
  readonly order: PromotionOrder;
}

/** One page of promotions. */
export interface PromotionPage {
  readonly promotions: Promotion[];
  /** Continues the list; absent when it is complete. */
  readonly next: PageKey | undefined;
}

/** Stretches read for one page. Past that the page is returned short: the state filter dropped nearly everything. */
const MAX_STRETCHES = 10;

/** The stored states among which promotions that show as a state are found. */
const STORED_AS: ReadonlyMap<number, readonly string[]> = new Map<number, readonly string[]>([
  [PromotionState.INACTIVE, ['inactive']],
  [PromotionState.ACTIVE, ['active']],
  [PromotionState.FINISHED, ['finished', 'active']],
]);
const ANY_STATE = [PromotionState.INACTIVE, PromotionState.ACTIVE, PromotionState.FINISHED];

/** A page of promotions with their live figures. Pages can be short, and the last one empty, when a state is asked for. */
export async function findPromotions(
  ports: DefinitionPorts,
  query: PromotionQuery,
  page: { readonly after: PageKey | undefined; readonly size: number },
  context: { readonly nowMs: number; readonly deadlineMs: number },
): Promise<PromotionPage> {
  const states: ReadonlySet<number> = new Set(query.states.length === 0 ? ANY_STATE : query.states);
  const filter = { ...query, storedStates: [...states].flatMap((state) => STORED_AS.get(state) ?? []) };
  const found: Promotion[] = [];
  let after = page.after;
  for (let stretch = 0; stretch < MAX_STRETCHES; stretch += 1) {
    const position = { order: query.order, after, limit: page.size + 1 };
    const rows = await listPromotions(ports.sql, filter, position, context.deadlineMs);
    const views = await viewsOf(ports, rows, context);
    for (const [index, view] of views.entries()) {
      if (found.length === page.size) return { promotions: found, next: after };
      if (states.has(view.state)) found.push(view);
      after = rows[index]?.key;
    }
    if (rows.length <= page.size) return { promotions: found, next: undefined };
  }
  return { promotions: found, next: after };
}

async function viewsOf(
  ports: DefinitionPorts,
  rows: readonly ListedPromotion[],
  context: { readonly nowMs: number; readonly deadlineMs: number },
): Promise<Promotion[]> {
  const refs = rows.map(({ promotion }) => promotion.ref);
  const issued = await issuedCounts(ports, refs, context);
  return rows.map(({ promotion }) => promotionView(promotion, issued.get(promotion.ref) ?? 0, context.nowMs));
}
