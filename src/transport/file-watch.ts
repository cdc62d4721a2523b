/**
 * Notices that files changed, by reading them now and then: mounted secrets are swapped by links, which notifications of the
 * file system miss.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What is watched, and who is told. */
export interface FileWatchOptions {
  readonly paths: readonly string[];
  readonly everyMs: number;
  /** Called with nothing new in between; what it throws goes to `failed`, and the same content is offered no second time. */
  readonly changed: () => void;
  /** A file cannot be read, or `changed` threw. */
  readonly failed: (error: unknown) => void;
}

/** Watches files until `stop`. The content at construction is the one that changes are told against. */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #digest: string;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#digest = digestOf(options.paths);
    this.#timer = setInterval(() => this.#look(), options.everyMs);
    this.#timer.unref();
  }

  #look(): void {
    try {
      const digest = digestOf(this.#options.paths);
      if (digest === this.#digest) return;
      this.#digest = digest;
      this.#options.changed();
    } catch (error) {
      this.#options.failed(error);
    }
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }
}

function digestOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths) {
    const content = readFileSync(path);
    hash.update(`${content.length}:`).update(content);
  }
  return hash.digest('hex');
}
