import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { createValidator } from '@bufbuild/protovalidate';
import { type FieldViolation, Refusal } from '../domain/refusal.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import { promotionFaults } from './faults.ts';

const VALIDATOR = createValidator();

/**
 * Throws one INVALID_REQUEST with everything that is wrong: what the contract's annotations say about single fields of
 * the request, and where its promotion contradicts itself.
 */
export function requireValid<Desc extends DescMessage>(
  schema: Desc,
  request: MessageShape<Desc>,
  promotion: Promotion | undefined,
): void {
  const violations = [...annotatedFaults(schema, request), ...(promotion ? promotionFaults(promotion) : [])];
  if (violations.length === 0) return;
  const fields = violations.map(({ field }) => field).join(', ');
  throw new Refusal('INVALID_REQUEST', `the definition cannot be accepted: ${fields}`, { violations });
}

function annotatedFaults<Desc extends DescMessage>(
  schema: Desc,
  request: MessageShape<Desc>,
): FieldViolation[] {
  const result = VALIDATOR.validate(schema, request);
  if (result.kind === 'error') throw result.error;
  if (result.kind === 'valid') return [];
  return result.violations.map(({ field, message }) => ({
    field: pathToString(field),
    description: message,
  }));
}
