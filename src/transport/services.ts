import { CartService } from '../gen/hongbao/v1/cart_service_pb.ts';
import { CouponService } from '../gen/hongbao/v1/coupon_service_pb.ts';
import { EventService } from '../gen/hongbao/v1/event_service_pb.ts';
import { InsightService } from '../gen/hongbao/v1/insight_service_pb.ts';
import { JobService } from '../gen/hongbao/v1/job_service_pb.ts';
import { PointsService } from '../gen/hongbao/v1/points_service_pb.ts';
import { PrivacyService } from '../gen/hongbao/v1/privacy_service_pb.ts';
import { PromotionService } from '../gen/hongbao/v1/promotion_service_pb.ts';
import { RedemptionService } from '../gen/hongbao/v1/redemption_service_pb.ts';

/** The services of the contract; every one of them is served. */
export const SERVICES = [
  PromotionService,
  CouponService,
  CartService,
  InsightService,
  RedemptionService,
  PointsService,
  EventService,
  JobService,
  PrivacyService,
];
