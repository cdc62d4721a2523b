/**
 * The configuration of a process: read once, from the environment, checked as a whole. This folder is the only reader of
 * `process.env`. A value that is unknown, malformed or contradicts another stops the start, and every fault is named at once.
 */
import { readFileSync } from 'node:fs';
import { checkCombinations } from './combinations.ts';
import type { NamedKey, Variable } from './variable.ts';
import { VARIABLES } from './variables.ts';

/** What the process was started as; some settings are needed by some roles only. */
export type Role = 'serve' | 'archive' | 'migrate' | 'move' | 'rebuild' | 'audit' | 'health';

type ValueOf<V> = V extends Variable<infer T> ? T : never;

/** Settings as the environment gave them, by section, defaults filled in. */
export type Settings = {
  readonly [Section in keyof typeof VARIABLES]: {
    readonly [Name in keyof (typeof VARIABLES)[Section]]: ValueOf<(typeof VARIABLES)[Section][Name]>;
  };
};

/** Settings that passed every check. Hosts are decided; addresses of stores are empty only for roles that use no such store. */
export type Config = Omit<Settings, 'grpc' | 'http' | 'ops' | 'database' | 'redis' | 'codes'> & {
  readonly grpc: Decided<Settings['grpc'], 'host'>;
  readonly http: Decided<Settings['http'], 'host'>;
  readonly ops: Decided<Settings['ops'], 'host'>;
  readonly database: Decided<Settings['database'], 'url'>;
  readonly redis: Decided<Settings['redis'], 'url'>;
  readonly codes: Decided<Settings['codes'], 'key'>;
};

type Decided<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]: string };

/** An environment: names and texts. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The start is refused; `faults` holds one line per fault, each naming its variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length} fault(s):\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

/** Every variable, in the order of the documentation. */
export function allVariables(): readonly Variable<unknown>[] {
  return Object.values(VARIABLES).flatMap((section) => Object.values<Variable<unknown>>(section));
}

/**
 * The configuration for one role.
 *
 * @throws ConfigError naming every unknown, malformed or contradictory setting.
 */
export function readConfig(role: Role, environment: Environment = process.env): Config {
  const faults = [...unknownNames(environment)];
  const settings = readSettings(environment, faults);
  faults.push(...checkCombinations(settings, role));
  if (faults.length > 0) throw new ConfigError(faults);
  return decide(settings);
}

/** Names with our prefix that mean nothing: a misspelt setting must not be a setting silently ignored. */
function unknownNames(environment: Environment): string[] {
  const known = new Set(
    allVariables().flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])),
  );
  return Object.keys(environment)
    .filter((name) => name.startsWith('HONGBAO_') && !known.has(name))
    .map((name) => `${name}: no such variable`);
}

function readSettings(environment: Environment, faults: string[]): Settings {
  const read = <T>(variable: Variable<T>): T => readVariable(variable, environment, faults);
  return mapSettings(read);
}

/** Reads one variable; after a fault the value is the default, so that the other checks can still run. */
function readVariable<T>(variable: Variable<T>, environment: Environment, faults: string[]): T {
  const given = textOf(variable, environment, faults);
  const result = variable.schema.safeParse(given);
  if (result.success) return result.data;
  faults.push(`${variable.name}: ${result.error.issues.map(innermostMessage).join(', ')}`);
  return variable.schema.parse(undefined);
}

/** A union reports its branches; the first one holds the fault of the text, the other only says "not undefined". */
function innermostMessage(issue: {
  message: string;
  code?: string;
  errors?: readonly (readonly { message: string }[])[];
}) {
  return issue.errors?.[0]?.[0]?.message ?? issue.message;
}

function textOf(variable: Variable<unknown>, environment: Environment, faults: string[]): string | undefined {
  const direct = environment[variable.name];
  const path = variable.secret ? environment[`${variable.name}_FILE`] : undefined;
  if (path === undefined) return direct;
  if (direct !== undefined) faults.push(`${variable.name}: set both directly and by ${variable.name}_FILE`);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    faults.push(`${variable.name}_FILE: cannot read the file it names`);
    return direct;
  }
}

/** Builds the settings section by section, so that each keeps its own type. */
function mapSettings(read: <T>(variable: Variable<T>) => T): Settings {
  return {
    service: readSection(VARIABLES.service, read),
    grpc: readSection(VARIABLES.grpc, read),
    http: readSection(VARIABLES.http, read),
    ops: readSection(VARIABLES.ops, read),
    tracing: readSection(VARIABLES.tracing, read),
    connections: readSection(VARIABLES.connections, read),
    database: readSection(VARIABLES.database, read),
    redis: readSection(VARIABLES.redis, read),
    ledger: readSection(VARIABLES.ledger, read),
    archive: readSection(VARIABLES.archive, read),
    ruleSet: readSection(VARIABLES.ruleSet, read),
    evaluation: readSection(VARIABLES.evaluation, read),
    points: readSection(VARIABLES.points, read),
    codes: readSection(VARIABLES.codes, read),
    auth: readSection(VARIABLES.auth, read),
    tls: readSection(VARIABLES.tls, read),
    rates: readSection(VARIABLES.rates, read),
    limits: readSection(VARIABLES.limits, read),
    drain: readSection(VARIABLES.drain, read),
    events: readSection(VARIABLES.events, read),
    jobs: readSection(VARIABLES.jobs, read),
    privacy: readSection(VARIABLES.privacy, read),
  };
}

type SectionValues<S> = { readonly [Name in keyof S]: ValueOf<S[Name]> };

function readSection<S extends Readonly<Record<string, Variable<unknown>>>>(
  section: S,
  read: <T>(variable: Variable<T>) => T,
): SectionValues<S> {
  const entries = Object.entries<Variable<unknown>>(section);
  const values: unknown = Object.fromEntries(entries.map(([name, variable]) => [name, read(variable)]));
  // The compiler cannot follow a type through Object.entries; the names and readers above come from the section itself.
  return values as SectionValues<S>;
}

/** Stands in where no key is needed: in roles without codes, and in the embedded development set-up of tests. */
const DEVELOPMENT_CODES_KEY = 'a key for development, which protects nothing';

/** Listens on this machine only while the door is open to everybody, on every address otherwise. */
function decide(settings: Settings): Config {
  const preset = settings.service.development === 'embedded' ? '127.0.0.1' : '0.0.0.0';
  return {
    ...settings,
    grpc: { ...settings.grpc, host: settings.grpc.host ?? preset },
    http: { ...settings.http, host: settings.http.host ?? preset },
    ops: { ...settings.ops, host: settings.ops.host ?? preset },
    database: { ...settings.database, url: settings.database.url ?? '' },
    redis: { ...settings.redis, url: settings.redis.url ?? '' },
    codes: { ...settings.codes, key: settings.codes.key ?? DEVELOPMENT_CODES_KEY },
    privacy: { ...settings.privacy, secretsKeys: decideKeys(settings) },
  };
}

/** The embedded development set-up keeps its data over restarts, and so needs the same key again; it protects nothing. */
const DEVELOPMENT_KEY = { id: 'development', key: Buffer.alloc(32, 'development only ') };

function decideKeys({ privacy, service }: Settings): readonly NamedKey[] {
  const isOurs = service.development === 'embedded' && privacy.secretsKeys.length === 0;
  return isOurs ? [DEVELOPMENT_KEY] : privacy.secretsKeys;
}
