/** A Prometheus of one test: it scrapes often, goes by the rules of the repository, and is asked over HTTP. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { freePort } from '../../tools/servers/free-port.ts';
import { ServerProcess } from '../../tools/servers/server-process.ts';
import { RULES, yamlFiles } from './rules.ts';

/** Samples and recorded series come this often, so that a minute of load is long. */
const INTERVAL = '1s';

const Answer = z.looseObject({
  status: z.string(),
  error: z.string().optional(),
  data: z
    .looseObject({ result: z.array(z.looseObject({ value: z.tuple([z.number(), z.string()]) })) })
    .optional(),
});
const Rules = z.looseObject({
  data: z.looseObject({
    groups: z.array(
      z.looseObject({
        rules: z.array(
          z.looseObject({ name: z.string(), health: z.string(), lastError: z.string().optional() }),
        ),
      }),
    ),
  }),
});

/** A running Prometheus. */
export interface PrometheusServer {
  /** The values of an instant query, one for each series. Throws when the query is refused. */
  query(expression: string): Promise<number[]>;
  /** How each rule fared: `ok`, or the error. */
  rules(): Promise<{ readonly name: string; readonly health: string }[]>;
  stop(): Promise<void>;
}

/** Starts `prometheus` (it must be on PATH) to scrape these ports of 127.0.0.1. */
export async function startPrometheus(targets: readonly number[]): Promise<PrometheusServer> {
  const directory = await mkdtemp(join(tmpdir(), 'hongbao-prometheus-'));
  const config = join(directory, 'prometheus.json');
  await copyRules(join(directory, 'rules'));
  await writeFile(config, JSON.stringify(configuration(targets)));
  const port = await freePort();
  const server = await ServerProcess.start({
    name: 'prometheus',
    command: 'prometheus',
    arguments: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    directory,
    temporaryFolder: directory,
    readyText: 'Server is ready to receive web requests',
    stopSignal: 'SIGTERM',
  });
  const ask = async (path: string): Promise<unknown> =>
    await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json();
  return {
    async query(expression) {
      const { data, error } = Answer.parse(await ask(`query?query=${encodeURIComponent(expression)}`));
      if (data === undefined) throw new Error(`${expression}: ${error ?? 'refused'}`);
      return data.result.map(({ value }) => Number(value[1]));
    },
    async rules() {
      const { groups } = Rules.parse(await ask('rules')).data;
      return groups.flatMap((group) =>
        group.rules.map(({ name, health, lastError = '' }) => ({ name, health: health + lastError })),
      );
    },
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The rules as they are, looked at more often. */
async function copyRules(folder: string): Promise<void> {
  await mkdir(folder);
  for (const path of yamlFiles(RULES)) {
    const text = await readFile(path, 'utf8');
    await writeFile(join(folder, basename(path)), text.replace('interval: 30s', `interval: ${INTERVAL}`));
  }
}

function configuration(targets: readonly number[]) {
  const addresses = targets.map((port) => `127.0.0.1:${port}`);
  return {
    global: { scrape_interval: INTERVAL, scrape_timeout: INTERVAL, evaluation_interval: INTERVAL },
    rule_files: ['rules/*.yaml'],
    scrape_configs: [
      { job_name: 'hongbao', static_configs: [{ targets: addresses, labels: { namespace: 'test' } }] },
    ],
  };
}
