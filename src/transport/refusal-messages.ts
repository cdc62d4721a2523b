/** What people read when a call is refused, in both languages of the product. Travels as `LocalizedMessage`. */
import type { RefusalReason } from '../domain/refusal.ts';

/** Languages of messages to people. */
export type Language = 'en' | 'zh';

/** One text per reason and language. */
export const REFUSAL_MESSAGES: Readonly<Record<RefusalReason, Readonly<Record<Language, string>>>> = {
  PROMOTION_NOT_FOUND: { en: 'This promotion does not exist.', zh: '该活动不存在。' },
  PROMOTION_NOT_CLAIMABLE: { en: 'This coupon cannot be claimed here.', zh: '该优惠券不支持领取。' },
  PROMOTION_INACTIVE: { en: 'This promotion is not active.', zh: '该活动未开启。' },
  PROMOTION_NOT_STARTED: { en: 'This promotion has not started yet.', zh: '活动尚未开始。' },
  PROMOTION_ENDED: { en: 'This promotion has ended.', zh: '活动已结束。' },
  USER_NOT_TARGETED: { en: 'This coupon is not available to you.', zh: '您不符合领取条件。' },
  USER_LIMIT_REACHED: { en: 'You have claimed all you can of this coupon.', zh: '您已达到领取上限。' },
  SOLD_OUT: { en: 'All coupons have been claimed.', zh: '优惠券已被领完。' },
  WALLET_FULL: { en: 'Your wallet is full. Use a coupon first.', zh: '您的优惠券数量已达上限，请先使用。' },
  REQUEST_ID_REUSED: {
    en: 'This request was already used for something else.',
    zh: '该请求编号已用于其他操作。',
  },
  INVALID_REQUEST: { en: 'The request is not valid.', zh: '请求参数有误。' },
  UNAUTHENTICATED: { en: 'Please sign in.', zh: '请先登录。' },
  PERMISSION_DENIED: { en: 'You are not allowed to do this.', zh: '您没有权限执行此操作。' },
  USER_NOT_FOUND: { en: 'This user does not exist.', zh: '该用户不存在。' },
  COUPON_NOT_FOUND: { en: 'This coupon does not exist.', zh: '该优惠券不存在。' },
  COUPON_STILL_USABLE: { en: 'This coupon can still be used.', zh: '该优惠券仍可使用。' },
  METHOD_NOT_FOUND: { en: 'This function does not exist.', zh: '该功能不存在。' },
  MESSAGE_TOO_LARGE: { en: 'The request is too large.', zh: '请求内容过大。' },
  RULE_SET_VERSION_NOT_FOUND: { en: 'These rules are not known.', zh: '该规则版本不存在。' },
  PROMOTION_ALREADY_EXISTS: { en: 'A promotion with this id already exists.', zh: '该活动编号已存在。' },
  ETAG_MISMATCH: {
    en: 'Somebody else changed this promotion. Load it again.',
    zh: '该活动已被他人修改，请刷新后重试。',
  },
  PROMOTION_STILL_ACTIVE: { en: 'Deactivate this promotion first.', zh: '请先停用该活动。' },
  PROMOTION_ALREADY_ISSUED: {
    en: 'Coupons of this promotion have been issued.',
    zh: '该活动已发放优惠券。',
  },
  QUANTITY_BELOW_ISSUED: {
    en: 'The quantity is below what has been issued.',
    zh: '总量不能小于已发放数量。',
  },
  LEDGER_UNAVAILABLE: { en: 'Please try again in a moment.', zh: '服务暂时不可用，请稍后重试。' },
  LEDGER_CLOSED: { en: 'Please try again in a moment.', zh: '服务正在恢复，请稍后重试。' },
  LEDGER_OVERLOADED: { en: 'Too many people at once. Please try again.', zh: '当前人数过多，请稍后重试。' },
  LEDGER_OUT_OF_MEMORY: { en: 'Please try again in a moment.', zh: '服务暂时不可用，请稍后重试。' },
  DURABILITY_UNMET: { en: 'Please try again in a moment.', zh: '服务暂时不可用，请稍后重试。' },
  ARCHIVE_BACKLOG: { en: 'Too many people at once. Please try again.', zh: '当前人数过多，请稍后重试。' },
  ARCHIVE_UNAVAILABLE: { en: 'Please try again in a moment.', zh: '服务暂时不可用，请稍后重试。' },
  SHUTTING_DOWN: { en: 'Please try again.', zh: '请重试。' },
  DEADLINE_EXCEEDED: { en: 'This took too long. Please try again.', zh: '处理超时，请重试。' },
  INTERNAL: { en: 'Something went wrong on our side.', zh: '系统出现问题，请稍后重试。' },
  EVALUATION_OVERLOADED: {
    en: 'Too many people at once. Please try again.',
    zh: '当前人数过多，请稍后重试。',
  },
  EVALUATION_FAILED: { en: 'Please try again in a moment.', zh: '优惠计算暂时不可用，请稍后重试。' },
};

/**
 * The language an `accept-language` header asks for: the first of ours by weight, English otherwise.
 *
 * @param header The raw header, or undefined.
 */
export function languageOf(header: string | undefined): Language {
  if (header === undefined) return 'en';
  const wishes = header.split(',').map((wish) => {
    const [tag = '', ...parameters] = wish.trim().toLowerCase().split(';');
    const weight = parameters.map((parameter) => /^\s*q=([\d.]+)$/.exec(parameter)?.[1]).find(Boolean);
    return { language: tag.split('-')[0], weight: Number(weight ?? 1) };
  });
  const ours = wishes.filter(
    ({ language, weight }) => (language === 'en' || language === 'zh') && weight > 0,
  );
  ours.sort((a, b) => b.weight - a.weight);
  return ours[0]?.language === 'zh' ? 'zh' : 'en';
}
