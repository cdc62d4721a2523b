/** `hongbao/client/grpc`: for Node. */
export type { GrpcTls } from './grpc-credentials.ts';
export type { GrpcAddress } from './grpc-target.ts';
export { type GrpcOptions, grpcTransport } from './grpc-transport.ts';
