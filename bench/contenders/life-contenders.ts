/** What follows a claim: orders that reserve and commit a coupon, coupons bought with points, wallets that are read. */
import type { RequestTemplate } from '../load/template.ts';
import { callConnectBytes } from '../product/connect-call.ts';
import type { Product, ServeProcess } from '../product/product.ts';
import type { Promotions } from '../product/promotions.ts';
import { claimForUsers, earnPoints, userOf } from '../product/wallets.ts';
import { EVALUATE_PATH } from './cart-messages.ts';
import { grpcHeaders } from './claim-messages.ts';
import {
  type Contender,
  type ContenderKey,
  SERVER_GROUP,
  type Side,
  toMeasurement,
  type Window,
} from './contender.ts';
import { GRPCJS_ECHO, startEcho } from './echoes.ts';
import {
  COMMIT_PATH,
  commitTemplate,
  EXCHANGE_PATH,
  emptyTemplate,
  exchangeTemplate,
  HEALTH_PATH,
  ORDER_LINES,
  orderQuestionTemplate,
  RESERVE_PATH,
  reserveTemplate,
  WALLET_PATH,
  walletTemplate,
} from './life-messages.ts';
import { GRPC_CALLS_PER_CONNECTION, GRPC_CONNECTIONS, type Loads } from './loads.ts';
import { runLoad } from './run-load.ts';

/** Promotion whose coupons are used for orders, and the one that is bought with points. */
const ORDER_PROMOTION = 'bench-orders';
const EXCHANGE_PROMOTION = 'bench-exchange';

/** Pairs per second for which coupons are prepared: more than any machine here makes. */
const PAIRS_PER_SECOND_LIMIT = 12_000;

/** Users who buy with points, and the points each is given: enough for every coupon a wallet holds. */
const BUYERS = 4_000;
const POINTS_EACH = 1_000_000;

/** Users whose wallets are read, and coupons in each. */
export const WALLET_USERS = 2_000;
export const WALLET_COUPONS = 5;

const ENDLESS = 1_000_000_000;

/** What these rows need. */
export interface LifeSetting {
  readonly product: Product;
  readonly serve: ServeProcess;
  /** A process for orders: their carts are evaluated in threads beside the main one, so it may use both cores. */
  readonly orders: ServeProcess;
  readonly promotions: Promotions;
  readonly loads: Loads;
}

/** Prepares promotions, points and wallets, and makes the rows. The echo answers as the wallet read did. */
export async function startLifeContenders(
  setting: LifeSetting,
  stack: AsyncDisposableStack,
): Promise<Contender[]> {
  const { promotions } = setting;
  await promotions.create({ id: ORDER_PROMOTION, quantity: ENDLESS, perUserLimit: 1 });
  await promotions.create({ id: EXCHANGE_PROMOTION, quantity: ENDLESS, pointsRequired: 100 });
  const firstReader = await fillWallets(setting);
  const firstBuyer = await givePoints(setting);
  const answer = await callConnectBytes(setting.serve.httpPort, setting.product.tokens.gateway, {
    path: WALLET_PATH,
    body: walletRequest(firstReader),
  });
  const echo = await startEcho(
    { key: 'echo_grpcjs_wallet', file: GRPCJS_ECHO, path: WALLET_PATH },
    answer,
    stack,
  );
  const own = { pid: setting.serve.process.pid, port: setting.serve.grpcPort };
  return [
    pairContender(setting),
    orderFloorContender(setting),
    exchangeContender(setting, firstBuyer),
    walletContender(setting, 'wallet_grpc', firstReader, own),
    walletContender(setting, 'echo_grpcjs_wallet', firstReader, echo),
  ];
}

function walletRequest(serial: number): Buffer<ArrayBuffer> {
  const message = Buffer.from(walletTemplate().base64, 'base64');
  for (const at of walletTemplate().userOffsets) message.write(userOf(serial).slice(-12), at, 'latin1');
  return message;
}

async function fillWallets({ product, serve, promotions, loads }: LifeSetting): Promise<number> {
  const firstSerial = loads.reserveSerials();
  for (let index = 1; index <= WALLET_COUPONS; index += 1) {
    const id = `bench-wallet-${index}`;
    await promotions.create({ id, quantity: ENDLESS, perUserLimit: 1 });
    await claimForUsers(serve.httpPort, product.tokens.gateway, id, firstSerial, WALLET_USERS);
  }
  return firstSerial;
}

async function givePoints({ serve, product, loads }: LifeSetting): Promise<number> {
  const firstSerial = loads.reserveSerials();
  await earnPoints(serve.httpPort, product.tokens.events, firstSerial, BUYERS, POINTS_EACH);
  return firstSerial;
}

function pairContender(setting: LifeSetting): Contender {
  return orderContender(setting, {
    key: 'reserve_commit_grpc',
    title: `ours: ReserveCoupons (cart of ${ORDER_LINES} lines, 1 coupon) + CommitReservation, gRPC`,
    side: 'ours',
    token: setting.product.tokens.orders,
    path: RESERVE_PATH,
    template: reserveTemplate(),
    followUp: { path: COMMIT_PATH, template: commitTemplate() },
  });
}

/** What an order costs that writes nothing: the same cart is evaluated with the same coupon, and the second call does nothing. */
function orderFloorContender(setting: LifeSetting): Contender {
  return orderContender(setting, {
    key: 'order_floor_grpc',
    title: 'an order that writes nothing: EvaluateCart of its cart and coupon + a no-op (health), gRPC',
    side: 'floor',
    token: setting.product.tokens.checkout,
    path: EVALUATE_PATH,
    template: orderQuestionTemplate(),
    followUp: { path: HEALTH_PATH, template: emptyTemplate() },
  });
}

interface OrderCalls {
  readonly key: Extract<ContenderKey, 'reserve_commit_grpc' | 'order_floor_grpc'>;
  readonly title: string;
  readonly side: Side;
  readonly token: string;
  readonly path: string;
  readonly template: RequestTemplate;
  readonly followUp: { readonly path: string; readonly template: RequestTemplate };
}

/** Every order has a user and a coupon of its own, claimed before. */
function orderContender({ product, serve, orders, loads }: LifeSetting, calls: OrderCalls): Contender {
  const watch = [{ name: SERVER_GROUP, pids: [orders.process.pid] }, ...product.ledgerProcesses];
  const { key, title, side, token, path, template, followUp } = calls;
  return {
    key,
    title,
    side,
    unit: 'pair',
    measure: async (window) => {
      const firstSerial = loads.reserveSerials();
      const seconds = (window.warmUpMs + window.measureMs) / 1000;
      const count = Math.ceil(seconds * PAIRS_PER_SECOND_LIMIT);
      const { gateway } = product.tokens;
      const coupons = await claimForUsers(serve.httpPort, gateway, ORDER_PROMOTION, firstSerial, count);
      return toMeasurement(
        await runLoad({
          ...grpcJob(window, orders.grpcPort, path, token),
          kind: 'grpc-pairs',
          template,
          followUp: { ...followUp, headers: grpcHeaders(followUp.path, token) },
          population: { firstSerial, coupons },
          watch,
        }),
      );
    },
  };
}

function exchangeContender({ product, serve, loads }: LifeSetting, firstBuyer: number): Contender {
  const watch = [{ name: SERVER_GROUP, pids: [serve.process.pid] }, ...product.ledgerProcesses];
  return {
    key: 'exchange_grpc',
    title: 'ours: ExchangeCoupon, gRPC',
    side: 'ours',
    unit: 'coupon',
    measure: async (window) =>
      toMeasurement(
        await runLoad({
          ...grpcJob(window, serve.grpcPort, EXCHANGE_PATH, product.tokens.points),
          template: exchangeTemplate(EXCHANGE_PROMOTION),
          population: { firstSerial: loads.reserveSerials(), firstUser: firstBuyer, users: BUYERS },
          watch,
        }),
      ),
  };
}

function walletContender(
  { product, loads }: LifeSetting,
  key: Extract<ContenderKey, 'wallet_grpc' | 'echo_grpcjs_wallet'>,
  firstReader: number,
  { pid, port }: { readonly pid: number; readonly port: number },
): Contender {
  const isOurs = key === 'wallet_grpc';
  return {
    key,
    title: isOurs
      ? `ours: ListCoupons, wallet of ${WALLET_COUPONS}, gRPC`
      : 'no-op echo of the same messages, grpc-js',
    side: isOurs ? 'ours' : 'floor',
    unit: 'read',
    measure: async (window) =>
      toMeasurement(
        await runLoad({
          ...grpcJob(window, port, WALLET_PATH, product.tokens.gateway),
          template: walletTemplate(),
          population: { firstSerial: loads.reserveSerials(), firstUser: firstReader, users: WALLET_USERS },
          watch: [{ name: SERVER_GROUP, pids: [pid] }],
        }),
      ),
  };
}

function grpcJob(window: Window, port: number, path: string, token: string) {
  return {
    kind: 'grpc-unary',
    targets: [{ host: '127.0.0.1', port, path }],
    headers: grpcHeaders(path, token),
    connections: GRPC_CONNECTIONS,
    inFlightPerConnection: GRPC_CALLS_PER_CONNECTION,
    expectedOutcome: '0',
    ...window,
  } as const;
}
