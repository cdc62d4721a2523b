import {
  create,
  type DescField,
  type DescMessage,
  type DescMethod,
  getOption,
  ScalarType,
} from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { createValidator } from '@bufbuild/protovalidate';
import { field as fieldExtension } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { expect, test } from 'vitest';
import { REJECTION_REASONS } from '../src/domain/decision.ts';
import { file_hongbao_v1_attribute } from '../src/gen/hongbao/v1/attribute_pb.ts';
import {
  file_hongbao_v1_availability,
  ReachKindSchema,
  ReachSchema,
} from '../src/gen/hongbao/v1/availability_pb.ts';
import {
  CartService,
  file_hongbao_v1_cart_service,
  RejectionReasonSchema,
} from '../src/gen/hongbao/v1/cart_service_pb.ts';
import { file_hongbao_v1_coupon_service } from '../src/gen/hongbao/v1/coupon_service_pb.ts';
import { EffectKindSchema, EffectSchema, file_hongbao_v1_effect } from '../src/gen/hongbao/v1/effect_pb.ts';
import {
  EventService,
  file_hongbao_v1_event_service,
  IngestEventRequestSchema,
  IngestedEventKindSchema,
} from '../src/gen/hongbao/v1/event_service_pb.ts';
import { file_hongbao_v1_grant } from '../src/gen/hongbao/v1/grant_pb.ts';
import { file_hongbao_v1_insight_service } from '../src/gen/hongbao/v1/insight_service_pb.ts';
import { file_hongbao_v1_job_service } from '../src/gen/hongbao/v1/job_service_pb.ts';
import { file_hongbao_v1_points_service } from '../src/gen/hongbao/v1/points_service_pb.ts';
import { file_hongbao_v1_privacy_service, PrivacyService } from '../src/gen/hongbao/v1/privacy_service_pb.ts';
import { file_hongbao_v1_promotion_code } from '../src/gen/hongbao/v1/promotion_code_pb.ts';
import { file_hongbao_v1_promotion } from '../src/gen/hongbao/v1/promotion_pb.ts';
import { file_hongbao_v1_promotion_service } from '../src/gen/hongbao/v1/promotion_service_pb.ts';
import { file_hongbao_v1_redemption_service } from '../src/gen/hongbao/v1/redemption_service_pb.ts';
import { file_hongbao_v1_rule, RuleKindSchema, RuleSchema } from '../src/gen/hongbao/v1/rule_pb.ts';
import { file_hongbao_v1_user_facts } from '../src/gen/hongbao/v1/user_facts_pb.ts';
import { SERVICES } from '../src/transport/services.ts';

const methods = SERVICES.flatMap((service) => service.methods);
const definitions = [
  file_hongbao_v1_promotion,
  file_hongbao_v1_effect,
  file_hongbao_v1_rule,
  file_hongbao_v1_availability,
];
const files = [
  ...definitions,
  file_hongbao_v1_promotion_service,
  file_hongbao_v1_coupon_service,
  file_hongbao_v1_insight_service,
  file_hongbao_v1_cart_service,
  file_hongbao_v1_redemption_service,
  file_hongbao_v1_points_service,
  file_hongbao_v1_event_service,
  file_hongbao_v1_job_service,
  file_hongbao_v1_privacy_service,
  file_hongbao_v1_grant,
  file_hongbao_v1_promotion_code,
  file_hongbao_v1_attribute,
  file_hongbao_v1_user_facts,
];
const messages = files.flatMap((file) => file.messages);
const fields = messages.flatMap((message) => message.fields);

const isRead = (method: DescMethod): boolean =>
  /^(Get|List|Export|StreamEvents)/.test(method.name) || method.parent === CartService;
/** Lists that are bounded by something else than a page: a wallet, the jobs there are. */
const isBounded = (method: DescMethod): boolean => /^List(UsableCoupons|Jobs)$/.test(method.name);
/** Writes named by something else than a request id, and a read that must not come as a URL. */
const hasNoRequestId = (method: DescMethod): boolean =>
  method === EventService.method.ingestEvent || method === PrivacyService.method.findUserByPhone;
const named = (list: readonly DescMethod[]): { name: string; method: DescMethod }[] =>
  list.map((method) => ({ name: `${method.parent.name}.${method.name}`, method }));

// SPEC L5
test.each(named(methods.filter((method) => !isRead(method) && !hasNoRequestId(method))))(
  '$name takes a request id',
  ({ method }) => {
    const items = method.input.fields.find((field) => field.name === 'items')?.message;
    const requestId =
      (items ?? method.input).fields.find((field) => field.name === 'request_id') ?? expect.fail();
    const { type } = getOption(requestId, fieldExtension);
    expect(type.case === 'string' && type.value.pattern).toBe('^[A-Za-z0-9._:@-]{1,64}$');
  },
);

test.each(named(methods))('$name is marked as a read exactly when it is one', ({ method }) => {
  expect(method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS).toBe(isRead(method));
});

test.each(named(methods.filter((method) => method.name.startsWith('List') && !isBounded(method))))(
  '$name is paged',
  ({ method }) => {
    const names = (message: DescMessage): string[] => message.fields.map((field) => field.name);
    expect(names(method.input)).toEqual(expect.arrayContaining(['page_size', 'page_token']));
    expect(names(method.output)).toContain('next_page_token');
  },
);

// SPEC P2, P8: a kind that is added to one list and not to the other would be invisible to filters and stacking.
test.each([
  { kinds: EffectKindSchema, message: EffectSchema, oneof: 'kind' },
  { kinds: RuleKindSchema, message: RuleSchema, oneof: 'kind' },
  { kinds: ReachKindSchema, message: ReachSchema, oneof: 'way' },
  { kinds: IngestedEventKindSchema, message: IngestEventRequestSchema, oneof: 'event' },
])('$kinds.name has a value for each case of $message.name', ({ kinds, message, oneof }) => {
  const cases = message.oneofs.find((candidate) => candidate.name === oneof)?.fields ?? [];
  const prefix = kinds.sharedPrefix?.toUpperCase() ?? '';
  expect(kinds.values.slice(1).map((value) => [value.name, value.number])).toEqual(
    cases.map((field) => [`${prefix}${field.name.toUpperCase()}`, field.number]),
  );
});

// SPEC R10
test('the reasons why a candidate does not apply are those of the engine, in its order', () => {
  const prefix = RejectionReasonSchema.sharedPrefix?.toUpperCase() ?? expect.fail();
  const names = RejectionReasonSchema.values.slice(1).map(({ name }) => name.slice(prefix.length));
  expect(names).toEqual(REJECTION_REASONS);
});

// SPEC C1: the main thread reads these, and skips the rest.
test('what the main thread reads of a cart comes first', () => {
  const names = CartService.method.evaluateCart.input.fields.map(({ name }) => name);
  expect(names.slice(0, 4)).toEqual(['user_id', 'use_wallet', 'codes', 'cart']);
});

// SPEC P3
test.each(fields.filter((field) => field.name.endsWith('_minor')))(
  '$parent.name.$name is a whole number',
  (field) => {
    expect([field.parent.name, field.scalar]).toEqual([field.parent.name, ScalarType.INT64]);
  },
);

/** Messages that requests are made of, beside definitions. */
function nestedIn(message: DescMessage): DescMessage[] {
  return [message, ...message.fields.flatMap((field) => (field.message ? nestedIn(field.message) : []))];
}
const inRequests = new Set(methods.flatMap(({ input }) => nestedIn(input)).map(({ typeName }) => typeName));
const requested = fields.filter(
  (field) => definitions.some((file) => file === field.parent.file) || inRequests.has(field.parent.typeName),
);
const OUTPUT_ONLY = new Set([
  'Promotion.promotion_id',
  'Promotion.version',
  'Promotion.etag',
  'Promotion.ref',
  'Promotion.issued_count',
  'Promotion.state',
  'Promotion.finish_reason',
  'ConditionTexts.en',
  'ConditionTexts.zh',
]);
/** Any value of these is a right one. */
const FREE = new Set(['StreamClaimCouponsRequest.sequence', 'UserFacts.orders_completed']);
const pathOf = (field: DescField): string => `${field.parent.name}.${field.name}`;

test.each(
  requested
    .filter(
      (field) => field.message === undefined && field.fieldKind !== 'map' && field.scalar !== ScalarType.BOOL,
    )
    .filter((field) => !OUTPUT_ONLY.has(pathOf(field)) && !FREE.has(pathOf(field)))
    .map((field) => ({ path: pathOf(field), field })),
)('$path has a rule', ({ field }) => {
  expect(getOption(field, fieldExtension).type.case).toBeDefined();
});

test.each(messages.map((message) => ({ name: message.name, message })))(
  'the rules of $name compile',
  ({ message }) => {
    expect(createValidator().validate(message, create(message)).kind).not.toBe('error');
  },
);

test('no message carries untyped content', () => {
  const untyped = fields.filter((field) =>
    /^google\.protobuf\.(Any|Struct|Value|ListValue)$/.test(field.message?.typeName ?? ''),
  );
  expect(untyped.map(pathOf)).toEqual([]);
});
