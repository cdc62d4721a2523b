import { readdirSync, readFileSync } from 'node:fs';
import { fromJson } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { GrantedReachSchema } from '../gen/hongbao/v1/availability_pb.ts';
import {
  type CreatePromotionRequest,
  CreatePromotionRequestSchema,
} from '../gen/hongbao/v1/promotion_service_pb.ts';
import { requireValid } from './require-valid.ts';

const FOLDER = new URL('../../deploy/catalogue/', import.meta.url);
const FILES = readdirSync(FOLDER).sort();

function read(file: string): CreatePromotionRequest {
  return fromJson(CreatePromotionRequestSchema, parse(readFileSync(new URL(file, FOLDER), 'utf8')));
}

// SPEC P1–P8: the sample catalogue uses every way in and most effects.
describe('the sample catalogue', () => {
  test.each(FILES)('%s is a promotion without faults, named as its file', (file) => {
    const request = read(file);
    request.requestId = 'catalogue';
    expect(() => requireValid(CreatePromotionRequestSchema, request, request.promotion)).not.toThrow();
    expect(`${request.promotionId}.yaml`).toBe(file);
    expect(request.promotion?.name?.zh).not.toBe('');
  });

  test('it holds the promotions people know from their shops', () => {
    expect(FILES.map((file) => read(file).promotion?.name?.zh)).toEqual(
      expect.arrayContaining([
        '新人专享满68减10',
        '烤鸭节满100减20',
        '购买主食赠酸梅汤',
        '周末狂欢满100减15',
        '全场8.8折最高优惠20',
        '工作日午市烤鸭8折',
        '国庆满100减20',
        '无门槛立减10',
        '满200免运费',
        '免费油酥烧饼',
        '满100减10，满200减30',
        '新人专享5元无门槛',
        '满200送酸梅汤',
        '全场满50减8（特价除外）',
      ]),
    );
    const ways = new Set(FILES.map((file) => read(file).promotion?.reach?.way.case));
    expect([...ways].sort()).toEqual(['automatic', 'claimable', 'code', 'granted', 'pointsExchange']);
  });

  test('it has codes of both sorts, and a promotion for every occasion on which coupons are given', () => {
    const ways = FILES.map((file) => read(file).promotion?.reach?.way);
    const codes = ways.flatMap((way) => (way?.case === 'code' ? [way.value.codes.case] : []));
    const occasions = ways.flatMap((way) => (way?.case === 'granted' ? [way.value.occasion.case] : []));
    expect(codes.sort()).toEqual(['publicCode', 'singleUseCodes']);
    const known = GrantedReachSchema.oneofs[0]?.fields.map(({ localName }) => localName) ?? [];
    expect(occasions.sort()).toEqual(known.sort());
  });
});
