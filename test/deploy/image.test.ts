/** The image's rules, read from its Dockerfile: there may be no engine here to build it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allVariables } from '../../src/config/config.ts';
import { readInstructions, readStages } from './dockerfile.ts';
import { ROOT } from './manifests.ts';

const instructions = readInstructions();

function all(name: string): string[] {
  return instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
}

const stages = readStages();
const last = stages.at(-1)?.instructions ?? [];

// SPEC C7
describe('the image', () => {
  test('is built on the Node the product is pinned to', () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const [, version = ''] = /node:(\d+\.\d+)\.\d+-/.exec(all('ARG')[0] ?? '') ?? [];
    expect(engines.node).toContain(`>=${version}`);
    expect(all('FROM').every((from) => /^\$\{NODE_IMAGE\} AS \w+$/.test(from))).toBe(true);
  });

  test('holds no packages of development, and runs none of their scripts', () => {
    const [install = ''] = all('RUN');
    expect(install).toContain('npm ci');
    expect(install).toContain('--omit=dev');
    expect(install).toContain('--ignore-scripts');
    expect(last.some(({ name }) => name === 'RUN')).toBe(false);
  });

  test('is not root, in exec form, and ends on SIGTERM', () => {
    const of = (name: string) =>
      last.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
    expect(of('USER')).toEqual(['65532:65532']);
    expect(of('STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(JSON.parse(of('ENTRYPOINT')[0] ?? '')).toEqual(['node', 'src/main.ts']);
    expect(JSON.parse(of('CMD')[0] ?? '')).toEqual(['serve']);
    expect(of('HEALTHCHECK')[0]).toMatch(/CMD \["node", "src\/main.ts", "health"\]$/);
  });

  test('opens the ports the product listens on, and says where it comes from', () => {
    const ports = ['HONGBAO_GRPC_PORT', 'HONGBAO_HTTP_PORT', 'HONGBAO_OPS_PORT'].map((name) =>
      String(
        allVariables()
          .find((variable) => variable.name === name)
          ?.schema.parse(undefined),
      ),
    );
    expect(all('EXPOSE')[0]?.split(' ')).toEqual(ports);
    for (const label of ['title', 'version', 'revision', 'licenses'])
      expect(all('LABEL')[0]).toContain(`org.opencontainers.image.${label}=`);
  });

  test('finds in its compile cache what another stage put there, as the user it runs as', () => {
    const compiled = stages.find(({ name }) => name === 'compiled')?.instructions ?? [];
    const users = [compiled, last].map(
      (stage) => stage.find((instruction) => instruction.name === 'USER')?.rest ?? '',
    );
    expect(new Set(users).size).toBe(1);
    expect(last.find(({ rest }) => rest.startsWith('--from=compiled'))?.rest).toContain(
      `--chown=${users[0]} `,
    );
    expect(all('ENV')[0]).toContain('NODE_COMPILE_CACHE=/app/compile-cache ');
  });

  test('takes only what exists, and what the build leaves out stays out', () => {
    const copied = all('COPY')
      .filter((rest) => !rest.startsWith('--from'))
      .flatMap((rest) => rest.split(' ').slice(0, -1));
    const kept = readFileSync(join(ROOT, '.dockerignore'), 'utf8').match(/^!(.+)$/gm) ?? [];
    expect(new Set(kept.map((line) => line.slice(1)))).toEqual(new Set(copied));
    for (const path of copied) expect(existsSync(join(ROOT, path)), path).toBe(true);
  });
});
