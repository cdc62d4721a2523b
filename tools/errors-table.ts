/** Makes `docs/errors.md` from the contract's list of refusal reasons. */
import { execFileSync } from 'node:child_process';
import { fromBinary } from '@bufbuild/protobuf';
import {
  type EnumDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { REASONS, Refusal, type RefusalReason, retryAfterMs } from '../src/domain/refusal.ts';

const PREFIX = 'REFUSAL_REASON_';
const FILE = 'hongbao/v1/refusal.proto';
/** Field numbers in descriptor.proto: FileDescriptorProto.enum_type and EnumDescriptorProto.value. */
const ENUM_TYPE = 5;
const ENUM_VALUE = 2;

/** A reason of the contract and its comment there, on one line. */
export interface DocumentedReason {
  readonly name: string;
  readonly comment: string;
}

/** The reasons of the contract, in its order, without the unspecified one. Runs `buf build`. */
export function documentedReasons(): DocumentedReason[] {
  const image = execFileSync('buf', ['build', '-o', '-', '--path', `proto/${FILE}`]);
  const file = fromBinary(FileDescriptorSetSchema, image).file.find((candidate) => candidate.name === FILE);
  const [reasons] = file?.enumType ?? [];
  if (file === undefined || reasons === undefined) throw new Error(`${FILE} declares no enum`);
  return valuesWithComments(file, reasons).filter((reason) => reason.name !== 'UNSPECIFIED');
}

function valuesWithComments(file: FileDescriptorProto, reasons: EnumDescriptorProto): DocumentedReason[] {
  return reasons.value.map((value, index) => {
    const path = [ENUM_TYPE, 0, ENUM_VALUE, index].join();
    const location = file.sourceCodeInfo?.location.find((candidate) => candidate.path.join() === path);
    const comment = (location?.leadingComments ?? '').trim().replace(/\s+/g, ' ');
    return { name: value.name.slice(PREFIX.length), comment };
  });
}

/** The text of `docs/errors.md`. Throws when a reason of the contract is not in `REASONS`. */
export function errorsTable(reasons: readonly DocumentedReason[]): string {
  return `# Errors

Generated from \`proto/${FILE}\` by \`npm run generate\`; do not edit.

Every error carries one \`google.rpc.ErrorInfo\` with the reason below and the domain \`hongbao\`; items of a batch carry the
same reason in a \`ClaimRefusal\` or \`CartRefusal\`. "No effect" means that this attempt changed nothing and never will. "Unknown" means that
it may or may not have been carried out: ask again with the same \`request_id\`, after the stated wait, which
\`google.rpc.RetryInfo\` gives for the call at hand.

| Reason | Code | Outcome | Ask again after | Meaning |
|---|---|---|---|---|
${reasons.map(tableRow).join('\n')}
`;
}

function tableRow({ name, comment }: DocumentedReason): string {
  if (!isReason(name)) throw new Error(`${PREFIX}${name} is not in src/domain/refusal.ts`);
  const { code, outcome } = REASONS[name];
  const wait = retryAfterMs(new Refusal(name, ''));
  const meaning = comment.replace(/ Code [A-Z_]+; outcome: [a-z ]+\.$/, '');
  const advice = wait === undefined ? '–' : wait === 0 ? 'at once' : `${wait} ms`;
  return `| \`${name}\` | \`${code}\` | ${outcome === 'noEffect' ? 'no effect' : 'unknown'} | ${advice} | ${meaning} |`;
}

function isReason(name: string): name is RefusalReason {
  return Object.hasOwn(REASONS, name);
}
