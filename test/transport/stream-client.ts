/** A stream in both directions by grpc-js, over bytes. */
import type { DescMethod } from '@bufbuild/protobuf';
import { Client, type ClientDuplexStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { pathOf } from '../../src/transport/binding.ts';
import { readServiceError, type WireAnswer } from './wire-clients.ts';

const asIs = (bytes: Buffer): Buffer => bytes;

/** An open stream and how to end it. */
export interface TestStream {
  readonly stream: ClientDuplexStream<Buffer, Buffer>;
  /** Sends messages, ends, and gives the messages that came back in hexadecimal, or the status. */
  outcome(messages: readonly Buffer[]): Promise<WireAnswer>;
}

/** Opens a stream on a connection of its own, which ends with it. */
export function openStream(
  grpcPort: number,
  method: DescMethod,
  headers: Readonly<Record<string, string>>,
): TestStream {
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const stream = client.makeBidiStreamRequest(pathOf(method), asIs, asIs, metadata);
  const outcome = (messages: readonly Buffer[]): Promise<WireAnswer> =>
    new Promise((resolve) => {
      const received: string[] = [];
      stream.on('data', (message: Buffer) => received.push(message.toString('hex')));
      stream.on('error', (error: ServiceError) => {
        client.close();
        resolve(readServiceError(error));
      });
      stream.on('end', () => {
        client.close();
        resolve({ ok: received });
      });
      for (const message of messages) stream.write(message);
      stream.end();
    });
  return { stream, outcome };
}
