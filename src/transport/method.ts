/** The methods a process serves, each with its handler, its policy, its limit and its counters. */
import type { DescService } from '@bufbuild/protobuf';
import type { Config } from '../config/config.ts';
import type { Identity } from '../domain/identity.ts';
import type { Counter, Histogram } from '../telemetry/metric.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Binding, pathOf } from './binding.ts';
import { type CallStarts, callStarts } from './call-span.ts';
import { allows, type MethodPolicy, POLICIES } from './policy.ts';
import { type ReadUser, userReaderOf } from './rate-limits-user-field.ts';
import { CODE_NAMES } from './status-code.ts';

const MS_PER_SECOND = 1000;

/** Methods whose requests carry many items or lines, by full name. */
const LARGE_METHODS: ReadonlySet<string> = new Set([
  'hongbao.v1.CartService.EvaluateCart',
  'hongbao.v1.CartService.BatchEvaluateCarts',
  'hongbao.v1.CartService.ListUsableCoupons',
  'hongbao.v1.CartService.ValidateCoupon',
  'hongbao.v1.CouponService.BatchClaimCoupons',
  'hongbao.v1.CouponService.StreamClaimCoupons',
  'hongbao.v1.PromotionService.GrantCoupons',
  'hongbao.v1.PromotionService.RevokeCoupons',
  'hongbao.v1.PromotionService.ImportCodes',
  'hongbao.v1.RedemptionService.ReserveCoupons',
  'hongbao.v1.RedemptionService.UseCoupons',
  'hongbao.v1.RedemptionService.RefundItems',
]);

/** One method as it is served. */
export class Method {
  readonly binding: Binding;
  readonly path: string;
  /** Largest request message that is taken. */
  readonly maxBytes: number;
  /** Reads the user a request is about; undefined when requests are about no one user. */
  readonly readUser: ReadUser | undefined;
  /** How spans of its calls begin. */
  readonly spanStarts: CallStarts;
  readonly #policy: MethodPolicy;
  readonly #started: Counter;
  readonly #seconds: Histogram;
  readonly #handled: readonly Counter[];

  constructor(binding: Binding, policy: MethodPolicy, limits: Config['limits'], metrics: Metrics) {
    const { method } = binding;
    const labels = [method.parent.typeName, method.name] as const;
    const typeName = `${method.parent.typeName}.${method.name}`;
    this.binding = binding;
    this.path = pathOf(method);
    this.maxBytes = LARGE_METHODS.has(typeName) ? limits.maxBatchMessageBytes : limits.maxMessageBytes;
    this.readUser = userReaderOf(method.input);
    this.spanStarts = callStarts(method);
    this.#policy = policy;
    this.#started = metrics.serverStarted.child(...labels);
    this.#seconds = metrics.serverHandlingSeconds.child(...labels);
    this.#handled = CODE_NAMES.map((code) => metrics.serverHandled.child(...labels, code));
  }

  /** Whether the caller may call it. */
  allows(identity: Identity): boolean {
    return allows(this.#policy, identity);
  }

  /** Counts a call that begins. */
  countStart(): void {
    this.#started.value += 1;
  }

  /**
   * Counts a call that ended.
   *
   * @param code Number of the canonical code.
   * @param startedAtMs When it began, by the monotonic clock.
   */
  countEnd(code: number, startedAtMs: number): void {
    const counter = this.#handled[code];
    if (counter !== undefined) counter.value += 1;
    this.#seconds.observe((performance.now() - startedAtMs) / MS_PER_SECOND);
  }
}

/**
 * The methods by path. A method of a service without a handler or without a policy stops the start, so nothing is served by
 * accident and nothing is forgotten.
 *
 * @throws Error naming every such method.
 */
export function bindMethods(
  services: readonly DescService[],
  bindings: readonly Binding[],
  limits: Config['limits'],
  metrics: Metrics,
): ReadonlyMap<string, Method> {
  const methods = new Map<string, Method>();
  const faults: string[] = [];
  const byPath = new Map(bindings.map((binding) => [pathOf(binding.method), binding]));
  for (const descriptor of services.flatMap((service) => service.methods)) {
    const name = `${descriptor.parent.typeName}.${descriptor.name}`;
    const binding = byPath.get(pathOf(descriptor));
    const policy = POLICIES[name];
    if (binding === undefined) faults.push(`${name} has no handler`);
    if (policy === undefined) faults.push(`${name} has no policy`);
    if (binding && policy) methods.set(pathOf(descriptor), new Method(binding, policy, limits, metrics));
  }
  if (faults.length > 0) throw new Error(`The service cannot start: ${faults.join('; ')}`);
  return methods;
}
