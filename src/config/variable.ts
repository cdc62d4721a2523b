/**
 * The kinds of value an environment variable may hold. Each parses text strictly: `1e3`, ` 5` and `5s` are faults, because
 * a setting that is guessed at start is a surprise in production.
 */
import { Cron } from 'croner';
import { z } from 'zod';
import { isCurrency } from '../domain/money.ts';
import { isPointsRate } from '../domain/points-rate.ts';

/** One environment variable: its name, how its text is read, what it means. */
export interface Variable<T> {
  readonly name: string;
  /** Reads the text; `undefined` (the variable is not set) gives the default or a fault. */
  readonly schema: z.ZodType<T, string | undefined>;
  /** The default as shown to people; `undefined` when there is none. */
  readonly shownDefault: string | undefined;
  readonly description: string;
  /** Its value is masked wherever the configuration is shown, and `<NAME>_FILE` may name a file that holds it. */
  readonly secret: boolean;
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** A whole number; its unit is part of the name of the setting. */
export function integer(
  name: string,
  preset: number,
  description: string,
  bounds: Bounds = {},
): Variable<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds;
  const schema = z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number written in digits')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))
    .or(z.undefined().transform(() => preset));
  return { name, schema, shownDefault: String(preset), description, secret: false };
}

/** A TCP port; 0 lets the system choose, which tests use. */
export function port(name: string, preset: number, description: string): Variable<number> {
  return integer(name, preset, description, { max: 65535 });
}

/** `true` or `false`, nothing else. */
export function flag(name: string, preset: boolean, description: string): Variable<boolean> {
  const schema = z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .transform((text) => text === 'true')
    .or(z.undefined().transform(() => preset));
  return { name, schema, shownDefault: String(preset), description, secret: false };
}

/** One word of a closed list. */
export function choice<const T extends readonly [string, ...string[]]>(
  name: string,
  options: T,
  preset: T[number],
  description: string,
): Variable<T[number]> {
  const schema = z
    .enum(options, { error: `must be one of ${options.join(', ')}` })
    .or(z.undefined().transform(() => preset));
  return {
    name,
    schema,
    shownDefault: preset,
    description: `${description} One of ${options.map((option) => `\`${option}\``).join(', ')}.`,
    secret: false,
  };
}

/** Text that may be absent. An empty variable counts as a fault: it is nearly always a template that was not filled in. */
export function optionalText(name: string, description: string): Variable<string | undefined> {
  const schema = z.string().min(1, 'must not be empty').optional();
  return { name, schema, shownDefault: undefined, description, secret: false };
}

/** Text with a default. */
export function text(name: string, preset: string, description: string): Variable<string> {
  const schema = z
    .string()
    .min(1, 'must not be empty')
    .or(z.undefined().transform(() => preset));
  return { name, schema, shownDefault: preset, description, secret: false };
}

/** A share of a whole: a decimal number from 0 to 1. */
export function ratio(name: string, preset: number, description: string): Variable<number> {
  const schema = z
    .string()
    .regex(/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/, 'must be a decimal number from 0 to 1')
    .transform(Number)
    .or(z.undefined().transform(() => preset));
  return { name, schema, shownDefault: String(preset), description, secret: false };
}

const HEADER_PAIR = /^([\w!#$%&'*+.^`|~-]+)=([\x21-\x7e]*)$/;

/** Headers of requests as `name=value` separated by commas, values percent-encoded; none when the variable is not set. A secret. */
export function requestHeaders(
  name: string,
  description: string,
): Variable<Readonly<Record<string, string>>> {
  const schema = z
    .string()
    .transform((value) => value.split(',').map((pair) => HEADER_PAIR.exec(pair.trim())))
    .refine((pairs) => pairs.every((pair) => pair !== null && decoded(pair[2]) !== undefined), {
      error: 'must be name=value pairs separated by commas, values percent-encoded',
    })
    .transform((pairs): Readonly<Record<string, string>> => {
      const entries = pairs.map((pair) => [pair?.[1] ?? '', decoded(pair?.[2]) ?? '']);
      return Object.fromEntries(entries);
    })
    .or(z.undefined().transform((): Readonly<Record<string, string>> => ({})));
  return { name, schema, shownDefault: undefined, description, secret: true };
}

function decoded(value = ''): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** A secret of at least so many characters, which nobody can remember or guess; it may be absent. */
export function secretText(
  name: string,
  minLength: number,
  description: string,
): Variable<string | undefined> {
  const schema = z.string().min(minLength, `must have at least ${minLength} characters`).optional();
  return { name, schema, shownDefault: undefined, description, secret: true };
}

/** A web address that may be absent. */
export function optionalUrl(
  name: string,
  protocol: RegExp,
  description: string,
): Variable<string | undefined> {
  const schema = z.url({ protocol, error: `must be an address that matches ${protocol.source}` }).optional();
  return { name, schema, shownDefault: undefined, description, secret: false };
}

/** The address of a store. It may hold a password, so it is a secret as a whole. */
export function storeUrl(name: string, protocol: RegExp, description: string): Variable<string | undefined> {
  return { ...optionalUrl(name, protocol, description), secret: true };
}

const HOSTS = String.raw`(?:[^@/\s]*@)?[\w.:[\]-]+(?:,[\w.:[\]-]+)*`;
const MANY_HOSTS = new RegExp(
  String.raw`^rediss?\+(?:cluster://${HOSTS}|sentinel://${HOSTS}/[\w.-]+(?:\?sentinel-password=[^&\s]+)?)$`,
);

/** Where Redis is: one server, sentinels and the name of a master, or nodes of a cluster. It may hold a password. */
export function redisUrl(name: string, description: string): Variable<string | undefined> {
  const error =
    'must be redis://host:port, redis+sentinel://host:port,host:port/master-name or redis+cluster://host:port,host:port';
  const isOne = (text: string): boolean => /^rediss?:\/\//.test(text) && URL.canParse(text);
  const schema = z
    .string()
    .refine((text) => isOne(text) || MANY_HOSTS.test(text), { error })
    .optional();
  return { name, schema, shownDefault: undefined, description, secret: true };
}

const PARTITION_COUNTS = ['1', '2', '4', '8', '16', '32', '64'] as const;

/** A number of partitions whose hash tags lie evenly over the nodes of a cluster. */
export function partitionCount(name: string, description: string): Variable<number> {
  const schema = z
    .enum(PARTITION_COUNTS, { error: `must be one of ${PARTITION_COUNTS.join(', ')}` })
    .transform(Number)
    .or(z.undefined().transform(() => 1));
  return { name, schema, shownDefault: '1', description, secret: false };
}

/** Words separated by commas; none when the variable is not set. */
export function list(name: string, description: string): Variable<readonly string[]> {
  const schema = z
    .string()
    .min(1, 'must not be empty')
    .transform((value): readonly string[] => value.split(',').map((word) => word.trim()))
    .pipe(z.array(z.string().min(1, 'holds an empty word')).readonly())
    .or(z.undefined().transform((): readonly string[] => []));
  return { name, schema, shownDefault: undefined, description, secret: false };
}

/** Points per major unit by currency, as `CNY=1,JPY=0.01`; none when the variable is not set. */
export function pointsRates(name: string, description: string): Variable<Readonly<Record<string, string>>> {
  const pair = z
    .string()
    .trim()
    .transform((text) => text.split('='))
    .refine(
      ([currency = '', rate = '', ...more]) =>
        isCurrency(currency) && isPointsRate(rate) && more.length === 0,
      {
        error: 'must be currencies and rates such as CNY=1,JPY=0.01',
      },
    );
  const schema = z
    .string()
    .transform((value) => value.split(','))
    .pipe(z.array(pair))
    .transform((pairs): Readonly<Record<string, string>> => Object.fromEntries(pairs))
    .or(z.undefined().transform((): Readonly<Record<string, string>> => ({})));
  return { name, schema, shownDefault: undefined, description, secret: false };
}

/** The IANA name of a time zone. */
export function timeZone(name: string, preset: string, description: string): Variable<string> {
  const schema = z
    .string()
    .refine(isTimeZone, { error: 'must be the name of a time zone such as Asia/Shanghai' })
    .or(z.undefined().transform(() => preset));
  return { name, schema, shownDefault: preset, description, secret: false };
}

function isTimeZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en-US', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** Minute, hour, day of the month, month and day of the week, as in cron. */
export function cronLine(name: string, preset: string, description: string): Variable<string> {
  const schema = z
    .string()
    .refine(isCronLine, { error: 'must be five fields of cron such as 0 1 * * *' })
    .or(z.undefined().transform(() => preset));
  return { name, schema, shownDefault: preset, description, secret: false };
}

function isCronLine(text: string): boolean {
  try {
    return new Cron(text, { paused: true, mode: '5-part' }).nextRun() !== null;
  } catch {
    return false;
  }
}

/** A key by which secrets are kept, with a name that is stored beside what it keeps. */
export interface NamedKey {
  readonly id: string;
  readonly key: Buffer;
}

const KEY_PATTERN = /^([a-z0-9-]{1,16}):([A-Za-z0-9+/_-]{43}=?)$/;
const KEY_BYTES = 32;

/** Keys as `name:key` separated by commas, the newest first; each key is 32 bytes in base64. None when it is not set. */
export function namedKeys(name: string, description: string): Variable<readonly NamedKey[]> {
  const schema = z
    .string()
    .transform((text) => text.split(',').map((pair) => KEY_PATTERN.exec(pair.trim())))
    .refine((pairs) => pairs.every((pair) => pair !== null), {
      error: 'must be name:key pairs separated by commas, each key 32 bytes in base64',
    })
    .transform((pairs): readonly NamedKey[] => pairs.flatMap((pair) => namedKey(pair)))
    .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, { error: 'names a key twice' })
    .or(z.undefined().transform((): readonly NamedKey[] => []));
  return { name, schema, shownDefault: undefined, description, secret: true };
}

function namedKey(pair: RegExpExecArray | null): NamedKey[] {
  const [, id = '', text = ''] = pair ?? [];
  const key = Buffer.from(text, 'base64');
  return key.length === KEY_BYTES ? [{ id, key }] : [];
}
