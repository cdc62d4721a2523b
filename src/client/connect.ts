/** `hongbao/client/connect`: for browsers, and for Node over HTTP. */
export { type ConnectOptions, connectTransport } from './connect-transport.ts';
