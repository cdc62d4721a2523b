/** The environment variables of TLS, of the keys of tokens, and of the limits callers meet; sections of `variables.ts`. */
import { choice, integer, optionalText } from './variable.ts';

/** How connections are protected, and which client certificates are whom. */
export const TLS_VARIABLES = {
  certFile: optionalText(
    'HONGBAO_TLS_CERT_FILE',
    'File with the certificate chain of the gRPC and the HTTP server, PEM. Without it both speak plain text, for a mesh or a proxy in front.',
  ),
  keyFile: optionalText('HONGBAO_TLS_KEY_FILE', 'File with the private key of that certificate, PEM.'),
  clientCertificates: choice(
    'HONGBAO_TLS_CLIENT_CERTIFICATES',
    ['off', 'optional', 'required'],
    'off',
    'Whether clients show a certificate. With `required` a connection without a listed one is closed.',
  ),
  clientCaFile: optionalText(
    'HONGBAO_TLS_CLIENT_CA_FILE',
    'File with the authorities that sign the certificates of clients, PEM.',
  ),
  identitiesFile: optionalText(
    'HONGBAO_TLS_IDENTITIES_FILE',
    'JSON file that says which name of a client certificate (`DNS:…`, `URI:…`) is which caller.',
  ),
  minVersion: choice(
    'HONGBAO_TLS_MIN_VERSION',
    ['TLSv1.2', 'TLSv1.3'],
    'TLSv1.2',
    'The oldest version of TLS that is spoken.',
  ),
  reloadMs: integer(
    'HONGBAO_TLS_RELOAD_MS',
    10_000,
    'How often these files are looked at; a change takes effect without a restart.',
    { min: 50 },
  ),
} as const;

/** How the published keys of tokens are kept up to date. */
export const KEY_VARIABLES = {
  jwksRefreshMs: integer(
    'HONGBAO_AUTH_JWKS_REFRESH_MS',
    300_000,
    'How often the keys of tokens are read again; a withdrawn key works no longer than this.',
    { min: 50 },
  ),
  jwksCooldownMs: integer(
    'HONGBAO_AUTH_JWKS_COOLDOWN_MS',
    30_000,
    'A token signed by an unknown key makes the keys be read again at most once in this time.',
    { min: 50 },
  ),
} as const;

/** How often somebody may call, per process. */
export const RATE_VARIABLES = {
  callerPerSecond: integer(
    'HONGBAO_RATE_CALLER_PER_SECOND',
    0,
    'Calls per second of one caller (a service, a person) in one process; 0 = as many as there is room for.',
    { max: 10_000_000 },
  ),
  callerBurst: integer(
    'HONGBAO_RATE_CALLER_BURST',
    0,
    'Calls such a caller may make at once after a pause; 0 = two seconds of them.',
    { max: 100_000_000 },
  ),
  userPerSecond: integer(
    'HONGBAO_RATE_USER_PER_SECOND',
    1_000,
    'Calls per second by or for one user in one process; 0 = as many as there is room for.',
    { max: 1_000_000 },
  ),
  userBurst: integer(
    'HONGBAO_RATE_USER_BURST',
    5_000,
    'Calls by or for such a user at once after a pause; 0 = two seconds of them.',
    { max: 10_000_000 },
  ),
} as const;
