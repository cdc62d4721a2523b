/** `hongbao/client`: works in Node and in browsers. Transports come from `hongbao/client/grpc` and `hongbao/client/connect`. */
export { Code } from '@connectrpc/connect';
export type { FieldViolation, RefusalReason } from '../domain/refusal.ts';
export { type ClosableTransport, createHongbao, type Hongbao, type HongbaoOptions } from './client.ts';
export { type FollowRequest, followEvents } from './follow-events.ts';
export { HongbaoError, type ItemRefusal, itemError, type Outcome } from './hongbao-error.ts';
export type { TokenSource } from './token-keeper.ts';
