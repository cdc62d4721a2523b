import { create, toBinary } from '@bufbuild/protobuf';
import { exportCodes as csvOf, type ExportPorts } from '../../codes/export-codes.ts';
import { invalidRequest } from '../../domain/invalid-request.ts';
import {
  ExportCodesRequestSchema,
  ExportCodesResponseSchema,
} from '../../gen/hongbao/v1/promotion_code_pb.ts';
import { decodeMessage, onlyRequest, type StreamHandler } from '../binding.ts';
import { writeContext } from './staff-write.ts';

const JOB_ID = /^[A-Za-z0-9._:@-]{1,64}$/;

/** Serves ExportCodes: a stream of parts, read no faster than the caller takes them. */
export function exportCodes(ports: ExportPorts): StreamHandler {
  return async (requests, context, write) => {
    const { jobId } = decodeMessage(ExportCodesRequestSchema, await onlyRequest(requests));
    if (!JOB_ID.test(jobId))
      throw invalidRequest([{ field: 'job_id', description: 'is not the id of a job' }]);
    for await (const csv of csvOf(ports, jobId, writeContext(context))) {
      if (context.signal.aborted) return;
      await write(toBinary(ExportCodesResponseSchema, create(ExportCodesResponseSchema, { csv })));
    }
  };
}
