/**
 * A no-op on grpc-js: any unary method is answered with the same bytes. The bytes pass as they are, so what is measured is the
 * server library alone.
 */
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { announce, echoSettings } from './echo-process.ts';

const { answer, path } = echoSettings();
const passBytes = (bytes: Buffer): Buffer => bytes;

const service: ServiceDefinition = {
  echo: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: passBytes,
    requestDeserialize: passBytes,
    responseSerialize: passBytes,
    responseDeserialize: passBytes,
  },
};

const server = new Server({ 'grpc.enable_channelz': 0 });
server.addService(service, {
  echo: (_call: unknown, callback: (error: null, reply: Buffer) => void) => callback(null, answer),
});
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  announce(port);
});
