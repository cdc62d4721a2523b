import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';

/** TLS in detail; PEM texts. */
export interface GrpcTls {
  /** The authorities that may vouch for the service. Absent: those this machine trusts. */
  readonly ca?: string | Uint8Array;
  /** Key and certificate of the caller, where the service asks for them. */
  readonly key?: string | Uint8Array;
  readonly cert?: string | Uint8Array;
  /** The name that the certificate of the service carries, when it is called by another (an IP address). */
  readonly serverName?: string;
}

/** Credentials for a channel. */
export function grpcCredentials(tls: boolean | GrpcTls): ChannelCredentials {
  if (tls === false) return credentials.createInsecure();
  if (tls === true) return credentials.createSsl();
  return credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert));
}

/** Options of the channel that belong to TLS. */
export function tlsOptions(tls: boolean | GrpcTls): ChannelOptions {
  if (typeof tls === 'boolean' || tls.serverName === undefined) return {};
  return { 'grpc.ssl_target_name_override': tls.serverName, 'grpc.default_authority': tls.serverName };
}

function pem(text: string | Uint8Array | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text);
}
