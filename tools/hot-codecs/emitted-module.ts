/** Loads a generated module that only a test needs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DescMessage } from '@bufbuild/protobuf';
import { moduleSource } from './module-source.ts';

/** The exports of a decoding module for `message`, by name. */
export async function emittedDecoder(
  message: DescMessage,
  checked: boolean,
): Promise<ReadonlyMap<string, (input: never) => object>> {
  const module = { file: 'emitted.ts', direction: 'decode', messages: [message], checked } as const;
  const folder = mkdtempSync(join(tmpdir(), 'hongbao-emitted-'));
  try {
    const path = join(folder, module.file);
    writeFileSync(path, moduleSource(module, join(import.meta.dirname, '../../src')));
    const exports: object = await import(pathToFileURL(path).href);
    return new Map(Object.entries(exports));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
