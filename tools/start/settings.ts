import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout this file is part of. */
export const ROOT_DIRECTORY = fileURLToPath(new URL('../..', import.meta.url));

/** Where `npm start` keeps its data, its logs and the compiled code. Removing it means starting from nothing. */
export const DATA_DIRECTORY = process.env.START_DATA_DIRECTORY ?? join(ROOT_DIRECTORY, '.data');

/** What `npm start` was told by the environment. */
export interface StartSettings {
  /** A Postgres of the caller's; absent = one is started. */
  readonly databaseUrl?: string;
  /** A Redis of the caller's; absent = one is started. */
  readonly redisUrl?: string;
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly opsPort: number;
  /** Metrics and probes of the archive process, which runs on the same machine here. */
  readonly archiveOpsPort: number;
  /** Taken when free; otherwise any free port. */
  readonly postgresPort: number;
  /** Taken when free; otherwise any free port. */
  readonly redisPort: number;
}

/** Ports other people connect to, with the variable that moves each. */
export interface ServicePort {
  readonly port: number;
  readonly purpose: string;
  readonly variable: string;
}

/** Reads the environment; throws an `Error` whose message is one line for the user. */
export function readSettings(environment: NodeJS.ProcessEnv): StartSettings {
  const port = (variable: string, otherwise: number): number => readPort(environment, variable, otherwise);
  const opsPort = port('HONGBAO_OPS_PORT', 9090);
  return {
    ...(environment.DATABASE_URL && { databaseUrl: environment.DATABASE_URL }),
    ...(environment.REDIS_URL && { redisUrl: environment.REDIS_URL }),
    grpcPort: port('HONGBAO_GRPC_PORT', 50051),
    httpPort: port('HONGBAO_HTTP_PORT', 8080),
    opsPort,
    archiveOpsPort: port('START_ARCHIVE_OPS_PORT', opsPort + 1),
    postgresPort: port('START_POSTGRES_PORT', 54329),
    redisPort: port('START_REDIS_PORT', 63799),
  };
}

/** The ports that must be free before anything is started. */
export function servicePorts(settings: StartSettings): ServicePort[] {
  return [
    { port: settings.grpcPort, purpose: 'gRPC', variable: 'HONGBAO_GRPC_PORT' },
    { port: settings.httpPort, purpose: 'HTTP', variable: 'HONGBAO_HTTP_PORT' },
    { port: settings.opsPort, purpose: 'metrics and probes', variable: 'HONGBAO_OPS_PORT' },
    { port: settings.archiveOpsPort, purpose: 'metrics of the archive', variable: 'START_ARCHIVE_OPS_PORT' },
  ];
}

function readPort(environment: NodeJS.ProcessEnv, variable: string, otherwise: number): number {
  const text = environment[variable];
  if (text === undefined || text === '') return otherwise;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`${variable}=${text} is not a port number; give one from 1 to 65535.`);
  }
  return port;
}
