/** A project outside of this one that has installed the client package, as a stranger's would be. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildClient } from '../../tools/build-client.ts';
import { ROOT_DIRECTORY } from '../../tools/start/settings.ts';

/** Packages the guide tells people to add, and the types of Node. */
const ADDED = ['@connectrpc/connect-node', '@grpc/proto-loader', '@types/node'];

const COMPILER_OPTIONS = {
  target: 'esnext',
  module: 'nodenext',
  lib: ['esnext'],
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
};

/** A clean folder with the packed client unpacked where npm would put it, and the packages it depends on. */
export class Consumer {
  readonly folder = mkdtempSync(join(tmpdir(), 'hongbao-consumer-'));

  /** Builds and packs the client, and installs the tarball. The packages it names come from this project: no network. */
  constructor() {
    const tarball = buildClient(this.folder);
    const home = join(this.folder, 'node_modules/hongbao');
    mkdirSync(home, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '-C', home, '--strip-components=1']);
    const { dependencies } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    for (const name of [...Object.keys(dependencies), ...ADDED]) this.link(join('node_modules', name));
    this.put('package.json', JSON.stringify({ type: 'module' }));
  }

  /** Makes a file or folder of this project appear there. */
  link(path: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    symlinkSync(join(ROOT_DIRECTORY, path), join(this.folder, path));
  }

  /** Writes a file. */
  put(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text);
  }

  /** What the compiler says about the files there, strictly; '' when nothing. */
  faults(files: readonly string[]): string {
    this.put('tsconfig.json', JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files }));
    try {
      return execFileSync('tsc', ['-p', this.folder], { encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    }
  }

  /** Removes it. */
  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
