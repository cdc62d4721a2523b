import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allVariables, ConfigError, type Environment, readConfig } from './config.ts';
import { describeConfig, printConfig } from './describe-config.ts';

const SERVE: Environment = {
  HONGBAO_SECRETS_KEY: `one:${Buffer.alloc(32, 7).toString('base64')}`,
  HONGBAO_CODES_KEY: 'a key for the codes of tests, long enough',
  DATABASE_URL: 'postgres://hongbao:geheim@db.example:5432/hongbao',
  REDIS_URL: 'redis://:geheim@redis.example:6379',
  HONGBAO_AUTH_ISSUER: 'https://issuer.example',
  HONGBAO_AUTH_AUDIENCE: 'hongbao',
  HONGBAO_AUTH_JWKS_URL: 'https://issuer.example/keys',
};

function faultsOf(
  environment: Environment,
  role: Parameters<typeof readConfig>[0] = 'serve',
): readonly string[] {
  try {
    readConfig(role, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('reading', () => {
  test('defaults fill in what is not set', () => {
    const config = readConfig('serve', SERVE);
    expect(config.grpc).toMatchObject({ host: '0.0.0.0', port: 50051, reflection: true });
    expect(config.http).toMatchObject({ port: 8080, corsOrigins: [] });
    expect(config.ops.port).toBe(9090);
    expect(config.ledger).toMatchObject({ backlogLimitEvents: 2_000_000, durabilityFallback: 'refuse' });
    expect(config.archive.trimMarginMs).toBe(600_000);
    expect(config.limits).toMatchObject({ maxMessageBytes: 65_536, maxBatchMessageBytes: 1_048_576 });
  });

  test('what is set is read', () => {
    const config = readConfig('serve', {
      ...SERVE,
      HONGBAO_GRPC_PORT: '0',
      HONGBAO_HTTP_CORS_ORIGINS: 'https://a.example, https://b.example',
      HONGBAO_LEDGER_FSYNC_ASSERTED: 'true',
    });
    expect(config.grpc.port).toBe(0);
    expect(config.http.corsOrigins).toEqual(['https://a.example', 'https://b.example']);
    expect(config.ledger.fsyncAsserted).toBe(true);
  });

  test('a secret may come from a file', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'config-')), 'url');
    writeFileSync(path, 'postgres://from.file/hongbao\n');
    const { DATABASE_URL: _, ...rest } = SERVE;
    expect(readConfig('serve', { ...rest, DATABASE_URL_FILE: path }).database.url).toBe(
      'postgres://from.file/hongbao',
    );
    expect(faultsOf({ ...SERVE, DATABASE_URL_FILE: path })).toEqual([
      'DATABASE_URL: set both directly and by DATABASE_URL_FILE',
    ]);
    expect(faultsOf({ ...rest, DATABASE_URL_FILE: `${path}-missing` })).toContain(
      'DATABASE_URL_FILE: cannot read the file it names',
    );
  });
});

describe('refusing', () => {
  test('every unknown and every malformed value is named, all at once', () => {
    const faults = faultsOf({
      ...SERVE,
      HONGBAO_GRPC_PROT: '1',
      HONGBAO_GRPC_PORT: '70000',
      HONGBAO_HTTP_PORT: '80 80',
      HONGBAO_LEDGER_FSYNC_ASSERTED: 'yes',
      HONGBAO_LEDGER_DURABILITY_FALLBACK: 'hope',
      REDIS_URL: 'http://redis.example',
    });
    expect(faults).toEqual([
      'HONGBAO_GRPC_PROT: no such variable',
      'HONGBAO_GRPC_PORT: must be at most 65535',
      'HONGBAO_HTTP_PORT: must be a whole number written in digits',
      'REDIS_URL: must be redis://host:port, redis+sentinel://host:port,host:port/master-name or redis+cluster://host:port,host:port',
      'HONGBAO_LEDGER_DURABILITY_FALLBACK: must be one of refuse, degrade',
      'HONGBAO_LEDGER_FSYNC_ASSERTED: must be true or false',
      'REDIS_URL: must be set to serve',
    ]);
  });

  // SPEC C8
  test('traces are off unless a collector is named; shares and headers are whole', () => {
    expect(readConfig('serve', SERVE).tracing).toEqual({
      endpoint: undefined,
      protocol: 'http/protobuf',
      headers: {},
      serviceName: 'hongbao',
      sampleRatio: 0.01,
      queueSpans: 4096,
    });
    const set = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20token, x-tenant=a=b',
      OTEL_SERVICE_NAME: 'coupons',
      HONGBAO_TRACING_SAMPLE_RATIO: '0.25',
    };
    expect(readConfig('serve', { ...SERVE, ...set }).tracing).toMatchObject({
      endpoint: 'http://collector:4318',
      headers: { authorization: 'Bearer token', 'x-tenant': 'a=b' },
      serviceName: 'coupons',
      sampleRatio: 0.25,
    });
    expect(printConfig(readConfig('serve', { ...SERVE, ...set }))).not.toContain('Bearer');
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', /must be an address/],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', /must be one of http\/protobuf/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization', /must be name=value pairs/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%zz', /must be name=value pairs/],
    ['OTEL_SERVICE_NAME', '', /must not be empty/],
    ['HONGBAO_TRACING_SAMPLE_RATIO', '1.5', /must be a decimal number from 0 to 1/],
    ['HONGBAO_TRACING_SAMPLE_RATIO', '5%', /must be a decimal number from 0 to 1/],
    ['HONGBAO_TRACING_QUEUE_SPANS', '10', /must be at least 128/],
  ])('%s=%s is refused', (name, value, fault) => {
    const faults = faultsOf({ ...SERVE, [name]: value });
    expect(faults).toEqual([expect.stringMatching(fault)]);
    expect(faults[0]).toMatch(new RegExp(`^${name}: `));
  });

  // SPEC S3
  test('keys for secrets are whole, and each has a name of its own', () => {
    const text = Buffer.alloc(32, 9).toString('base64url');
    const keys = readConfig('serve', { ...SERVE, HONGBAO_SECRETS_KEY: `b:${text},a:${text}` }).privacy
      .secretsKeys;
    expect(keys).toEqual([
      { id: 'b', key: Buffer.alloc(32, 9) },
      { id: 'a', key: Buffer.alloc(32, 9) },
    ]);
    for (const wrong of ['one:c2hvcnQ=', text, `a:${text},a:${text}`])
      expect(faultsOf({ ...SERVE, HONGBAO_SECRETS_KEY: wrong })[0]).toMatch(/^HONGBAO_SECRETS_KEY: /);
  });

  // SPEC S1
  test('an open door is refused outside the embedded development set-up', () => {
    const open = { ...SERVE, HONGBAO_AUTH: 'off' };
    expect(faultsOf(open)).toEqual([expect.stringMatching(/^HONGBAO_AUTH: .*HONGBAO_DEVELOPMENT=embedded/)]);
    const development = readConfig('serve', { ...open, HONGBAO_DEVELOPMENT: 'embedded' });
    expect(development.auth.mode).toBe('off');
    expect(development.grpc.host).toBe('127.0.0.1');
  });

  test.each([
    ['no issuer', { HONGBAO_AUTH_ISSUER: undefined }, /^HONGBAO_AUTH_ISSUER/],
    ['no keys', { HONGBAO_AUTH_JWKS_URL: undefined }, /exactly one must be set/],
    ['two sources of keys', { HONGBAO_AUTH_JWKS_FILE: '/keys.json' }, /exactly one must be set/],
    [
      'a default deadline above the longest',
      { HONGBAO_LIMITS_DEFAULT_DEADLINE_MS: '60000' },
      /must not exceed/,
    ],
    [
      'a batch smaller than one message',
      { HONGBAO_LIMITS_MAX_BATCH_MESSAGE_BYTES: '2000' },
      /must not exceed/,
    ],
    // SPEC S3
    ['no key for secrets', { HONGBAO_SECRETS_KEY: undefined }, /^HONGBAO_SECRETS_KEY: must be set/],
    ['no key for codes', { HONGBAO_CODES_KEY: undefined }, /^HONGBAO_CODES_KEY: must be set/],
    ['no cron line', { HONGBAO_JOBS_EXPIRY_CRON: 'daily' }, /^HONGBAO_JOBS_EXPIRY_CRON: must be five fields/],
    // LEDGER 21
    ['a log of a week', { HONGBAO_ARCHIVE_LOG_RETENTION_DAYS: '7' }, /0 \(keep for ever\) or at least 30/],
    [
      'a log that is no older than what leaves Redis',
      { HONGBAO_ARCHIVE_LOG_RETENTION_DAYS: '90' },
      /^HONGBAO_ARCHIVE_LOG_RETENTION_DAYS: must be more than HONGBAO_JOBS_RETENTION_DAYS/,
    ],
    ['two servers on one port', { HONGBAO_OPS_PORT: '8080' }, /must differ/],
    ['no database', { DATABASE_URL: undefined }, /^DATABASE_URL: must be set to serve/],
  ])('%s', (_title, change, fault) => {
    expect(faultsOf({ ...SERVE, ...change })).toEqual([expect.stringMatching(fault)]);
  });

  test('a role needs only its own stores', () => {
    expect(faultsOf({}, 'health')).toEqual([]);
    expect(faultsOf({}, 'migrate')).toEqual(['DATABASE_URL: must be set to migrate']);
    expect(faultsOf({}, 'archive')).toHaveLength(4);
  });
});

describe('showing', () => {
  test('secrets are masked', () => {
    const shown = printConfig(readConfig('serve', SERVE));
    expect(shown).not.toContain('geheim');
    expect(shown).toContain('redis.url = ********');
    expect(shown).toContain('grpc.port = 50051');
  });

  test('docs/configuration.md is the table of the variables', async () => {
    await expect(describeConfig()).toMatchFileSnapshot('../../docs/configuration.md');
  });

  test('names are unique and carry the prefix', () => {
    const names = allVariables().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    // Names that platforms set, and that mean here what they mean everywhere.
    const withoutPrefix = names.filter((name) => !name.startsWith('HONGBAO_') && !name.startsWith('OTEL_'));
    expect(withoutPrefix).toEqual(['DATABASE_URL', 'REDIS_URL']);
  });
});
