/** Clocks of single processes that a run can move, through a library preloaded into them. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('./movable-clock.c', import.meta.url));
const OFFSET_BYTES = 8;

/** Compiles the library into a folder; answers with its file. Throws without a C compiler. */
export async function buildClockLibrary(directory: string): Promise<string> {
  const library = join(directory, 'movable-clock.so');
  await promisify(execFile)('cc', ['-O2', '-fPIC', '-shared', '-o', library, SOURCE, '-ldl']);
  return library;
}

/** The wall clock of the processes that were started with its variables. */
export class ClockFile {
  /** Variables to start a process with. */
  readonly environment: Readonly<Record<string, string>>;
  private readonly file: string;

  constructor(library: string, file: string) {
    this.file = file;
    this.environment = { LD_PRELOAD: library, CHAOS_CLOCK_FILE: file };
    writeFileSync(file, Buffer.alloc(OFFSET_BYTES));
  }

  /** Sets it so many milliseconds ahead of the machine's clock; negative = behind, 0 = the same. */
  async set(offsetMs: number): Promise<void> {
    const bytes = Buffer.alloc(OFFSET_BYTES);
    bytes.writeBigInt64LE(BigInt(offsetMs));
    // In place: the processes have the file's first page in their memory.
    const file = await open(this.file, 'r+');
    await file.write(bytes, 0, OFFSET_BYTES, 0);
    await file.close();
  }
}
