import { execFileSync } from 'node:child_process';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { file_buf_validate_validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { expect, test } from 'vitest';

const PATH = 'buf/validate/validate.proto';

/** Without what one compiler writes down and another does not: source positions and derived JSON names. */
function comparable(file: FileDescriptorProto): Uint8Array {
  const copy = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, file), {
    readUnknownFields: false,
  });
  copy.sourceCodeInfo = undefined;
  const clear = (message: DescriptorProto): void => {
    for (const field of [...message.field, ...message.extension]) field.jsonName = '';
    message.nestedType.forEach(clear);
  };
  copy.messageType.forEach(clear);
  for (const extension of copy.extension) extension.jsonName = '';
  return toBinary(FileDescriptorProtoSchema, copy);
}

test('the vendored annotations are those of the package that interprets them', () => {
  const image = fromBinary(FileDescriptorSetSchema, execFileSync('buf', ['build', '-o', '-']));
  const vendored = image.file.find((file) => file.name === PATH) ?? expect.fail(PATH);
  expect(Buffer.from(comparable(vendored)).equals(comparable(file_buf_validate_validate.proto))).toBe(true);
});
