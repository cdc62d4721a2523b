/** Between the metadata and errors of grpc-js and those of Connect, which every transport of the client speaks. */
import { fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';
import type { CallHeaders } from './call-headers.ts';

/** Names that end like this carry bytes. */
const BINARY = '-bin';

/** Headers of a call. */
export function metadataOf(headers: CallHeaders): Metadata {
  const metadata = new Metadata();
  new Headers(headers).forEach((value, name) => {
    metadata.set(name, name.endsWith(BINARY) ? Buffer.from(value, 'base64') : value);
  });
  return metadata;
}

/** Adds what came. */
export function copyMetadata(metadata: Metadata, headers: Headers): void {
  for (const name of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(name))
      headers.append(name, typeof value === 'string' ? value : value.toString('base64'));
  }
}

/** An error of grpc-js with the details that came beside it; anything else becomes an error of unknown code. */
export function connectErrorOf(error: unknown): ConnectError {
  if (!isServiceError(error)) return ConnectError.from(error);
  const headers = new Headers();
  copyMetadata(error.metadata, headers);
  const status: number = error.code;
  const code = status in Code ? status : Code.Unknown;
  const made = new ConnectError(error.details, code, headers, undefined, error);
  made.details = detailsOf(error.metadata);
  return made;
}

function isServiceError(error: unknown): error is ServiceError {
  return (
    error instanceof Error && 'metadata' in error && error.metadata instanceof Metadata && 'code' in error
  );
}

/** What cannot be read is left out: the code still stands. */
function detailsOf(metadata: Metadata): ConnectError['details'] {
  const [bytes] = metadata.get('grpc-status-details-bin');
  if (!(bytes instanceof Buffer)) return [];
  try {
    const { details } = fromBinary(StatusSchema, bytes);
    return details.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1),
      value,
    }));
  } catch {
    return [];
  }
}
