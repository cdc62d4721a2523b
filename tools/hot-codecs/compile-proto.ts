/** Compiles a contract that only a test needs. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileRegistry, type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** The messages that `declarations` declare, by name. The annotations of buf.validate can be used. Throws what buf says. */
export function compileProto(declarations: string): Map<string, DescMessage> {
  const folder = mkdtempSync(join(tmpdir(), 'hongbao-proto-'));
  try {
    cpSync('third_party/buf', join(folder, 'buf'), { recursive: true });
    writeFileSync(join(folder, 'test.proto'), `syntax = "proto3"; package test;\n${IMPORTS}${declarations}`);
    const image = execFileSync('buf', ['build', folder, '-o', '-'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const file = createFileRegistry(fromBinary(FileDescriptorSetSchema, image)).getFile('test.proto');
    return new Map(file?.messages.map((message) => [message.name, message]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const IMPORTS = ['buf/validate/validate', 'google/protobuf/timestamp', 'google/protobuf/field_mask']
  .map((file) => `import "${file}.proto";\n`)
  .join('');
