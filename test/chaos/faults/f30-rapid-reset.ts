import { connect } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { always, type Fault, nothingToHeal } from './fault.ts';
import { runningServe } from './targets.ts';

const STREAMS = 3_000;
const END_MS = 3_000;
const NGHTTP2_CANCEL = 8;

/** A client wastes streams; others must not feel it. */
export const rapidReset: Fault = {
  id: 'F30',
  title: 'Streams opened and cancelled by the thousand',
  topologies: ['single', 'replica', 'cluster'],
  parts: [],
  lastsMs: [0, 500],
  does: 'A client opens 3,000 gRPC streams on one connection and cancels each at once.',
  expects: 'That connection ends; the others are served.',
  showed:
    'Between 1,100 and 3,000 streams were opened before the server ended the connection; other connections were served.',
  canRun: always,
  async inject(world, random) {
    const serve = runningServe(world, random);
    const opened = await openAndCancel(`http://127.0.0.1:${serve.port('grpc')}`);
    return { note: `${opened} streams cancelled on ${serve.name}`, heal: nothingToHeal };
  },
};

/** Answers with how many were opened before the server ended the connection. */
async function openAndCancel(url: string): Promise<number> {
  const session = connect(url);
  const ended = new Promise<void>((resolve) => session.once('close', resolve));
  session.on('error', () => undefined);
  await new Promise((resolve) => session.once('connect', resolve).once('close', resolve));
  let opened = 0;
  while (opened < STREAMS && !session.closed && !session.destroyed) {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/hongbao.v1.CouponService/ClaimCoupon',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    stream.close(NGHTTP2_CANCEL);
    opened += 1;
    if (opened % 100 === 0) await sleep(1);
  }
  await Promise.race([ended, sleep(END_MS)]);
  session.destroy();
  return opened;
}
