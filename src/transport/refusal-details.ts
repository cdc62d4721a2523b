/** A refusal as the error details every protocol carries: one table from reason to code and details, for all servers. */
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { REASONS, type Refusal, retryAfterMs } from '../domain/refusal.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  LocalizedMessageSchema,
  RetryInfoSchema,
} from '../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';
import { type Language, REFUSAL_MESSAGES } from './refusal-messages.ts';
import { codeNumber } from './status-code.ts';

/** `ErrorInfo.domain` of everything refused here. */
export const ERROR_DOMAIN = 'hongbao';

/** One detail message with its type. */
export interface Detail {
  readonly desc: DescMessage;
  readonly value: MessageInitShape<DescMessage>;
}

const detail = <D extends DescMessage>(desc: D, value: MessageInitShape<D>): Detail => ({
  desc,
  value: create(desc, value),
});

/** Number of the canonical code of a refusal. */
export function codeOf(refusal: Refusal): number {
  return codeNumber(REASONS[refusal.reason].code);
}

/** The details of a refusal: always the reason and a text for people; faults of fields and advice to retry when there are. */
export function detailsOf(refusal: Refusal, language: Language): Detail[] {
  const { reason } = refusal;
  const { metadata = {}, violations = [] } = refusal.detail;
  const waitMs = retryAfterMs(refusal) ?? 0;
  return [
    detail(ErrorInfoSchema, { reason, domain: ERROR_DOMAIN, metadata: { ...metadata } }),
    ...(violations.length > 0 ? [detail(BadRequestSchema, { fieldViolations: [...violations] })] : []),
    ...(waitMs > 0 ? [detail(RetryInfoSchema, { retryDelay: durationFromMs(waitMs) })] : []),
    detail(LocalizedMessageSchema, { locale: language, message: REFUSAL_MESSAGES[reason][language] }),
  ];
}

/** A `google.rpc.Status` in binary, as gRPC carries it in the trailer `grpc-status-details-bin`. */
export function encodeStatus(code: number, message: string, details: readonly Detail[]): Uint8Array {
  return toBinary(
    StatusSchema,
    create(StatusSchema, {
      code,
      message,
      details: details.map(({ desc, value }) => ({
        typeUrl: `type.googleapis.com/${desc.typeName}`,
        value: toBinary(desc, create(desc, value)),
      })),
    }),
  );
}
