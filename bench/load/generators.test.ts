import { createServer } from 'node:http';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import {
  type BatchClaimCouponsRequest,
  BatchClaimCouponsRequestSchema,
  BatchClaimCouponsResponseSchema,
  type ClaimCouponRequest,
  ClaimCouponRequestSchema,
  ClaimCouponResponseSchema,
  type ClaimResult,
  ClaimResultSchema,
  type StreamClaimCouponsRequest,
  StreamClaimCouponsRequestSchema,
  StreamClaimCouponsResponseSchema,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { BATCH_PATH, CLAIM_PATH, STREAM_PATH } from '../contenders/claim-messages.ts';
import { type LoadShape, Loads, shapeJob } from '../contenders/loads.ts';
import { createConnectLoad } from './connect-load.ts';
import { createGrpcPairLoad } from './grpc-pairs.ts';
import { createGrpcStreamLoad } from './grpc-stream.ts';
import { createGrpcUnaryLoad } from './grpc-unary.ts';
import type { LoadJob, LoadResult } from './job.ts';
import { Recorder } from './recorder.ts';

const ENOUGH_CALLS = 600;
const DRIVERS = {
  'grpc-unary': createGrpcUnaryLoad,
  'grpc-pairs': createGrpcPairLoad,
  'grpc-stream': createGrpcStreamLoad,
  connect: createConnectLoad,
};

const stops: (() => unknown)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** Runs a load until the server has answered enough calls, and waits for the rest. */
async function runUntilEnough(job: LoadJob): Promise<LoadResult> {
  const recorder = new Recorder(job);
  const driver = DRIVERS[job.kind](job, recorder);
  recorder.begin();
  driver.startClosedLoop();
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  while (recorder.calls < ENOUGH_CALLS) await turn();
  driver.stop();
  while (driver.inFlight > 0) await turn();
  driver.destroy();
  return recorder.result();
}

function jobOf(shape: LoadShape, port: number): LoadJob {
  const window = { warmUpMs: 0, measureMs: 0 };
  return shapeJob(new Loads('sale', 'token'), shape, { port, window, watch: [] });
}

/** Every request id that came in, and the answers: items whose user number ends in 9 are refused. */
class ClaimDesk {
  readonly requestIds: string[] = [];

  decide({ requestId, userId }: ClaimCouponRequest): ClaimResult {
    this.requestIds.push(requestId);
    return userId.endsWith('9')
      ? create(ClaimResultSchema, { outcome: { case: 'refusal', value: { message: 'sold out' } } })
      : create(ClaimResultSchema, { outcome: { case: 'claimed', value: { couponId: 'c'.repeat(44) } } });
  }
}

/** A grpc-js server with the three ways to claim. */
function startGrpcServer(desk: ClaimDesk, options = {}): Promise<number> {
  const server = new Server(options);
  server.addService(
    {
      claim: {
        path: CLAIM_PATH,
        requestStream: false,
        responseStream: false,
        requestSerialize: (message: ClaimCouponRequest) =>
          Buffer.from(toBinary(ClaimCouponRequestSchema, message)),
        requestDeserialize: (bytes: Buffer) => fromBinary(ClaimCouponRequestSchema, bytes),
        responseSerialize: (bytes: Buffer) => bytes,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
      batch: {
        path: BATCH_PATH,
        requestStream: false,
        responseStream: false,
        requestSerialize: (message: BatchClaimCouponsRequest) =>
          Buffer.from(toBinary(BatchClaimCouponsRequestSchema, message)),
        requestDeserialize: (bytes: Buffer) => fromBinary(BatchClaimCouponsRequestSchema, bytes),
        responseSerialize: (bytes: Buffer) => bytes,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
      stream: {
        path: STREAM_PATH,
        requestStream: true,
        responseStream: true,
        requestSerialize: (message: StreamClaimCouponsRequest) =>
          Buffer.from(toBinary(StreamClaimCouponsRequestSchema, message)),
        requestDeserialize: (bytes: Buffer) => fromBinary(StreamClaimCouponsRequestSchema, bytes),
        responseSerialize: (bytes: Buffer) => bytes,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    },
    { claim: answerClaim(desk), batch: answerBatch(desk), stream: answerStream(desk) },
  );
  stops.push(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

const answerClaim =
  (desk: ClaimDesk) => (call: ServerUnaryCall<ClaimCouponRequest, Buffer>, reply: sendUnaryData<Buffer>) => {
    const { outcome } = desk.decide(call.request);
    if (outcome.case === 'claimed')
      reply(null, Buffer.from(toBinary(ClaimCouponResponseSchema, outcome.value)));
    else reply({ code: 9, details: 'sold out' });
  };

const answerBatch =
  (desk: ClaimDesk) =>
  (call: ServerUnaryCall<BatchClaimCouponsRequest, Buffer>, reply: sendUnaryData<Buffer>) => {
    const results = call.request.items.map((item) => desk.decide(item));
    const answer = create(BatchClaimCouponsResponseSchema, { results });
    reply(null, Buffer.from(toBinary(BatchClaimCouponsResponseSchema, answer)));
  };

const answerStream = (desk: ClaimDesk) => (call: ServerDuplexStream<StreamClaimCouponsRequest, Buffer>) => {
  call.on('data', ({ sequence, items }: StreamClaimCouponsRequest) => {
    const results = items.map((item) => desk.decide(item));
    const answer = create(StreamClaimCouponsResponseSchema, { sequence, results });
    call.write(Buffer.from(toBinary(StreamClaimCouponsResponseSchema, answer)));
  });
};

// SPEC C6
test('unary gRPC: every call is answered and counted by its status, and no request id comes twice', async () => {
  const desk = new ClaimDesk();
  const result = await runUntilEnough(jobOf('grpc', await startGrpcServer(desk)));
  expect(result.calls).toBe(desk.requestIds.length);
  expect(new Set(desk.requestIds).size).toBe(desk.requestIds.length);
  const refused = desk.requestIds.filter((id) => id.endsWith('9')).length;
  expect(result.outcomes).toEqual({ '0': result.calls - refused, '9': refused });
  expect(result).toMatchObject({ errors: refused, firstFailure: '9 sold out' });
});

test('a load of refusals counts refusals as success', async () => {
  const desk = new ClaimDesk();
  const result = await runUntilEnough(jobOf('refused', await startGrpcServer(desk)));
  expect(result.operations).toBe(result.outcomes['9']);
});

test('batches: claimed items are operations, refused ones are errors', async () => {
  const desk = new ClaimDesk();
  const result = await runUntilEnough(jobOf('batch', await startGrpcServer(desk)));
  const refused = desk.requestIds.filter((id) => id.endsWith('9')).length;
  expect(result.operations).toBe(desk.requestIds.length - refused);
  expect(result.errors).toBe(refused);
  expect(new Set(desk.requestIds).size).toBe(desk.requestIds.length);
});

test('streams: each message is answered once, items are counted as in batches', async () => {
  const desk = new ClaimDesk();
  const result = await runUntilEnough(jobOf('stream', await startGrpcServer(desk)));
  const refused = desk.requestIds.filter((id) => id.endsWith('9')).length;
  expect(result.operations).toBe(desk.requestIds.length - refused);
  expect(result.errors).toBe(refused);
  expect(new Set(desk.requestIds).size).toBe(desk.requestIds.length);
});

test('calls on a clock wait for room on a connection, which carries no more streams than the server allows', async () => {
  const desk = new ClaimDesk();
  const port = await startGrpcServer(desk, { 'grpc.max_concurrent_streams': 4 });
  const job: LoadJob = { ...jobOf('grpc', port), callsPerSecond: 1 };
  const recorder = new Recorder(job);
  const driver = createGrpcUnaryLoad(job, recorder);
  recorder.begin();
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const startAtOnce = async (calls: number, inAll: number): Promise<void> => {
    for (let call = 0; call < calls; call += 1) driver.startCall(performance.now());
    while (recorder.calls < inAll) await turn();
  };
  // What a server allows is known by its first answer.
  await startAtOnce(job.connections, job.connections);
  await startAtOnce(ENOUGH_CALLS, job.connections + ENOUGH_CALLS);
  driver.stop();
  driver.destroy();
  expect(Object.keys(recorder.result().outcomes)).not.toContain('connection closed');
  expect(new Set(desk.requestIds).size).toBe(job.connections + ENOUGH_CALLS);
});

test('a server that is not there is an error for every call, not a wait', async () => {
  const port = await startGrpcServer(new ClaimDesk());
  for (const stop of stops.splice(0)) stop();
  const result = await runUntilEnough(jobOf('grpc', port));
  expect(result.outcomes).toEqual({ 'connection closed': result.calls });
});

/** An HTTP server that keeps the request id of every body. */
async function startHttpServer(requestIds: string[]): Promise<number> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => {
      body += piece.toString('latin1');
    });
    request.on('end', () => {
      requestIds.push(/request-id--(\d{12})/.exec(body)?.[1] ?? 'none');
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test('HTTP/1.1: autocannon sends a new request id with every call', async () => {
  const requestIds: string[] = [];
  const result = await runUntilEnough(jobOf('connect', await startHttpServer(requestIds)));
  expect(result.calls).toBeGreaterThanOrEqual(ENOUGH_CALLS);
  expect(result.errors).toBe(0);
  expect(requestIds).not.toContain('none');
  expect(new Set(requestIds).size).toBe(requestIds.length);
});

test('HTTP/1.1: a load of so many calls uses exactly the serial numbers it was given', async () => {
  const requestIds: string[] = [];
  const job = jobOf('connect', await startHttpServer(requestIds));
  await runUntilEnough({ ...job, maxCalls: ENOUGH_CALLS, population: { firstSerial: 5_000 } });
  const serials = requestIds.map(Number).toSorted((a, b) => a - b);
  expect(serials).toEqual(Array.from({ length: ENOUGH_CALLS }, (_, index) => 5_000 + index));
});
