/** Takes a small file system's last byte. */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

const BLOCK_BYTES = 64 * 1024;
const SMALLEST_BYTES = 512;

/** Fills the file system a folder lies on; the answer frees the space again. */
export async function fillDisk(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'ballast');
  const file = await open(path, 'w');
  for (let bytes = BLOCK_BYTES; bytes >= SMALLEST_BYTES; ) {
    const isWritten = await file.write(Buffer.alloc(bytes)).then(
      ({ bytesWritten }) => bytesWritten === bytes,
      () => false,
    );
    if (!isWritten) bytes /= 2;
  }
  await file.close();
  return () => rm(path, { force: true });
}
