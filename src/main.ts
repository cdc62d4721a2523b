#!/usr/bin/env node
/** The edge of the process: which role, which configuration, which exit code; nothing else. */
import './young-objects.ts';
import { ConfigError, type Role, readConfig } from './config/config.ts';
import { printConfig } from './config/describe-config.ts';
import { archive } from './roles/archive.ts';
import { audit } from './roles/audit.ts';
import { health } from './roles/health.ts';
import { migrate } from './roles/migrate.ts';
import { move } from './roles/move.ts';
import { rebuild } from './roles/rebuild.ts';
import { serve } from './roles/serve.ts';

const ROLES = { serve, archive, migrate, move, rebuild, audit, health } as const;
const USAGE = `usage: hongbao ${Object.keys(ROLES).join(' | ')} [--print-config]\n`;
const USAGE_EXIT_CODE = 2;

function isRole(name: string | undefined): name is Role {
  return name !== undefined && name in ROLES;
}

async function run(name: string | undefined, args: readonly string[]): Promise<number> {
  if (!isRole(name)) {
    process.stderr.write(USAGE);
    return USAGE_EXIT_CODE;
  }
  const config = readConfig(name);
  if (args.includes('--print-config')) {
    process.stdout.write(`${printConfig(config)}\n`);
    return 0;
  }
  return await ROLES[name](config, args);
}

const [name, ...args] = process.argv.slice(2);
try {
  // Not left to end by itself: node 26 may turn for ever in closing the sockets that a fault left open.
  process.exit(await run(name, args));
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  // What a failed start has opened so far would keep the process alive.
  process.exit(1);
}
