import { perFile, type Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';

/** Folder names that say nothing about what is inside. */
const EMPTY_NAMES = new Set([
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'types',
  'misc',
  'shared',
  'lib',
  'stuff',
]);

const KEBAB_CASE = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/;

/** A stranger finds things by reading folder names. */
export const names: Rule = {
  promise: 'folders are nouns of the domain and files are named in kebab-case',
  check: perFile((file) => (isOurs(file) ? checkPath(file) : [])),
  planted: {
    'src/utils/a.ts': '',
    'src/ledger/groupCommit.ts': '',
  },
};

function isOurs(file: SourceFile): boolean {
  return /^(src|test|tools|bench)\//.test(file.path) && !file.path.startsWith('src/gen/');
}

function checkPath(file: SourceFile): string[] {
  const folders = file.path.split('/');
  const name = folders.pop() ?? '';
  const faults = folders
    .filter((folder) => EMPTY_NAMES.has(folder))
    .map((folder) => file.fault(0, `the folder name "${folder}" says nothing`));
  const isKebab = /\.(ts|mjs|lua|sql)$/.test(name) ? KEBAB_CASE.test(name.replaceAll('_', '-')) : true;
  return isKebab ? faults : [...faults, file.fault(0, `"${name}" is not kebab-case`)];
}
