import { describe, expect, it } from 'vitest';
import type { Rule } from './rule.ts';
import { documentedExports } from './rules/documented-exports.ts';
import { environment } from './rules/environment.ts';
import { honestTests } from './rules/honest-tests.ts';
import { layers } from './rules/layers.ts';
import { links } from './rules/links.ts';
import { names } from './rules/names.ts';
import { noImportCycles } from './rules/no-import-cycles.ts';
import { portableText } from './rules/portable-text.ts';
import { provenRows } from './rules/proven-rows.ts';
import { purity } from './rules/purity.ts';
import { redisKeys } from './rules/redis-keys.ts';
import { sizes } from './rules/sizes.ts';
import { storeTraps } from './rules/store-traps.ts';
import { translatedReadme } from './rules/translated-readme.ts';
import { repositoryFiles, SourceFile } from './source-file.ts';

const RULES: readonly Rule[] = [
  documentedExports,
  environment,
  honestTests,
  layers,
  links,
  names,
  noImportCycles,
  portableText,
  provenRows,
  purity,
  redisKeys,
  sizes,
  storeTraps,
  translatedReadme,
];

const files = repositoryFiles();

describe.each(RULES.map((rule) => [rule.promise, rule] as const))('%s', (_, rule) => {
  it('in this repository', () => {
    expect(rule.check(files)).toEqual([]);
  });

  it.each(Object.keys(rule.planted))('and a breach planted in %s is found', (path) => {
    const others = Object.entries(rule.planted).map(([other, text]) => new SourceFile(other, text));
    expect(rule.check(others).filter((fault) => fault.includes(path) || fault.startsWith('all'))).not.toEqual(
      [],
    );
  });
});
