/**
 * TLS of the gRPC and the HTTP server: one certificate, who may connect with which client certificate, and the change of all
 * of it without a restart. A file that cannot be used leaves what was in force before, and is complained of.
 */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import {
  createSecureContext,
  type SecureContextOptions,
  TLSSocket,
  type TlsOptions,
  type Server as TlsServer,
} from 'node:tls';
import type { Config } from '../config/config.ts';
import type { Identity } from '../domain/identity.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { FileWatch } from './file-watch.ts';
import { HANDSHAKE_TIMEOUT_MS } from './security-limits.ts';
import { identityOfNames, type ListedIdentities, namesOf, parseListedIdentities } from './tls-identities.ts';

/** What TLS needs. */
export interface TlsDependencies {
  readonly config: Config['tls'];
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The caller at the other end of a connection, by its certificate; undefined when it showed none that is listed. */
export type PeerOf = (socket: Socket) => Identity | undefined;

/** No certificates: nobody is known by the connection. */
export const noPeers: PeerOf = () => undefined;

/** The TLS of a process; undefined when the servers speak plain text. @throws when a file cannot be used. */
export function createTls(dependencies: TlsDependencies): Tls | undefined {
  const { certFile, keyFile } = dependencies.config;
  return certFile === undefined || keyFile === undefined ? undefined : new Tls(dependencies);
}

/** Material in force, for the servers that are attached. */
export class Tls {
  readonly #dependencies: TlsDependencies;
  readonly #servers: TlsServer[] = [];
  readonly #connections = new Map<TLSSocket, readonly string[]>();
  #listed: ListedIdentities;
  #context: SecureContextOptions;
  #watch: FileWatch | undefined;

  constructor(dependencies: TlsDependencies) {
    this.#dependencies = dependencies;
    this.#context = this.#readContext();
    this.#listed = this.#readIdentities();
  }

  /** Settings for a server of ours. */
  get serverOptions(): TlsOptions {
    const { clientCertificates } = this.#dependencies.config;
    return {
      ...this.#context,
      requestCert: clientCertificates !== 'off',
      rejectUnauthorized: clientCertificates === 'required',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    };
  }

  /** Looks after the connections of a server, and hands it new material from now on. */
  attach(server: TlsServer): void {
    this.#servers.push(server);
    server.on('secureConnection', (socket) => this.#welcome(socket));
    server.on('tlsClientError', () => this.#reject());
    this.#watch ??= new FileWatch({
      paths: this.#paths(),
      everyMs: this.#dependencies.config.reloadMs,
      changed: () => this.#reload(),
      failed: (error) => this.#complain(error),
    });
  }

  /** Who is at the other end. Asked anew at every call, so that a name taken off the list is nobody at once. */
  readonly peerOf: PeerOf = (socket) => {
    const names = socket instanceof TLSSocket ? this.#connections.get(socket) : undefined;
    return names === undefined ? undefined : identityOfNames(names, this.#listed);
  };

  /** Looks at the files no more. */
  stop(): void {
    this.#watch?.stop();
  }

  #welcome(socket: TLSSocket): void {
    const certificate = socket.getPeerX509Certificate();
    // With optional certificates a wrong one gets this far; whoever shows one means to be somebody.
    const names = certificate !== undefined && socket.authorized ? namesOf(certificate) : [];
    if (certificate !== undefined && !socket.authorized) {
      this.#turnAway(socket);
      return;
    }
    this.#connections.set(socket, names);
    socket.once('close', () => this.#connections.delete(socket));
    if (!this.#mayStay(names)) this.#turnAway(socket);
  }

  #mayStay(names: readonly string[]): boolean {
    const { clientCertificates } = this.#dependencies.config;
    return clientCertificates !== 'required' || identityOfNames(names, this.#listed) !== undefined;
  }

  #turnAway(socket: TLSSocket): void {
    this.#reject();
    socket.destroy();
  }

  #reject(): void {
    this.#dependencies.metrics.authRejections.child('certificate').value += 1;
  }

  #reload(): void {
    const { logger, metrics } = this.#dependencies;
    const listed = this.#readIdentities();
    this.#context = this.#readContext();
    this.#listed = listed;
    for (const server of this.#servers) server.setSecureContext(this.#context);
    for (const [socket, names] of this.#connections) if (!this.#mayStay(names)) this.#turnAway(socket);
    metrics.tlsReloads.child('changed').value += 1;
    logger.info(
      { event: LOG_EVENTS.tlsReloaded },
      'Certificates and the callers they stand for were read again',
    );
  }

  #complain(error: unknown): void {
    const { logger, metrics } = this.#dependencies;
    metrics.tlsReloads.child('failed').value += 1;
    const line = { event: LOG_EVENTS.tlsReloadFailed, reason: error instanceof Error ? error.message : '' };
    logger.error(line, 'Changed TLS files cannot be used; what was in force stays');
  }

  #paths(): string[] {
    const { certFile, keyFile, clientCaFile, identitiesFile } = this.#dependencies.config;
    return [certFile, keyFile, clientCaFile, identitiesFile].filter((path) => path !== undefined);
  }

  /** Reads the pair and tries it: a certificate of another key stops the start, or the change, and not each connection. */
  #readContext(): SecureContextOptions {
    const { certFile = '', keyFile = '', clientCaFile, minVersion } = this.#dependencies.config;
    const context = {
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
      ...(clientCaFile !== undefined && { ca: readFileSync(clientCaFile) }),
      minVersion,
    };
    createSecureContext(context);
    return context;
  }

  #readIdentities(): ListedIdentities {
    const { identitiesFile } = this.#dependencies.config;
    return identitiesFile === undefined
      ? new Map()
      : parseListedIdentities(readFileSync(identitiesFile, 'utf8'));
  }
}
