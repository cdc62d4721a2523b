import type { DescEnum, DescMessage } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ReachKindSchema, ReachSchema } from '../gen/hongbao/v1/availability_pb.ts';
import { EffectKindSchema, EffectSchema } from '../gen/hongbao/v1/effect_pb.ts';

function membersOf(schema: DescMessage, choice: string): [string, number][] {
  const fields = schema.oneofs.find(({ name }) => name === choice)?.fields ?? [];
  return fields.map((field): [string, number] => [field.name.toUpperCase(), field.number]);
}

function valuesOf(schema: DescEnum): [string, number][] {
  return schema.values
    .filter((value) => value.number !== 0)
    .map((value): [string, number] => [value.name.slice((schema.sharedPrefix ?? '').length), value.number]);
}

// SPEC P2, P8: filters name every kind.
test('the members of a choice are numbered as the values of its enum', () => {
  expect(membersOf(EffectSchema, 'kind')).toEqual(valuesOf(EffectKindSchema));
  expect(membersOf(ReachSchema, 'way')).toEqual(valuesOf(ReachKindSchema));
});
