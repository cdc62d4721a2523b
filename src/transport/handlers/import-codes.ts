import {
  type CodeFaultKind as FaultName,
  type ImportPorts,
  importCodes as keepCodes,
} from '../../codes/import-codes.ts';
import { writeIdentity } from '../../definitions/write-once.ts';
import {
  CodeFaultKind,
  ImportCodesRequestSchema,
  type ImportCodesResponseSchema,
} from '../../gen/hongbao/v1/promotion_code_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { writeContext } from './staff-write.ts';

const KINDS: Readonly<Record<FaultName, CodeFaultKind>> = {
  malformed: CodeFaultKind.MALFORMED,
  repeated: CodeFaultKind.REPEATED,
  already_known: CodeFaultKind.ALREADY_KNOWN,
  taken: CodeFaultKind.TAKEN,
};

/** Serves ImportCodes. */
export function importCodes(
  ports: ImportPorts,
): UnaryHandler<typeof ImportCodesRequestSchema, typeof ImportCodesResponseSchema> {
  return async (request, context) => {
    const identity = writeIdentity(ImportCodesRequestSchema, request);
    const { promotionId, csv, reason } = request;
    const answer = await keepCodes(ports, { identity, promotionId, csv, reason }, writeContext(context));
    return {
      imported: BigInt(answer.imported),
      faulty: BigInt(answer.faulty),
      faults: answer.faults.map(({ line, kind }) => ({ line, kind: KINDS[kind] })),
      replayed: answer.replayed,
    };
  };
}
