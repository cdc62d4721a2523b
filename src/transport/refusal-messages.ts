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
  SERVER_OVERLOADED: {
    en: 'Too many people at once. Please try again.',
    zh: '当前人数过多，请稍后重试。',
  },
  RATE_LIMITED: { en: 'Too many requests. Please wait a moment.', zh: '操作过于频繁，请稍后再试。' },
  ORDER_NOT_FOUND: { en: 'This order does not exist.', zh: '该订单不存在。' },
  ORDER_ALREADY_RESERVED: { en: 'Coupons are already held for this order.', zh: '该订单已锁定优惠。' },
  ORDER_ALREADY_COMMITTED: { en: 'This order has already used its coupons.', zh: '该订单已完成核销。' },
  RESERVATION_NOT_FOUND: { en: 'Nothing is held for this order.', zh: '该订单没有锁定的优惠。' },
  RESERVATION_EXPIRED: {
    en: 'The time to pay has passed. Place the order again.',
    zh: '支付超时，请重新下单。',
  },
  RESERVATION_RELEASED: { en: 'This order has given its coupons back.', zh: '该订单的优惠已释放。' },
  COUPON_NOT_APPLICABLE: { en: 'This coupon does not apply to your order.', zh: '该优惠券不适用于此订单。' },
  COUPON_NOT_AVAILABLE: { en: 'This coupon is in use for another order.', zh: '该优惠券已用于其他订单。' },
  CURRENCY_MISMATCH: { en: 'The currency does not match.', zh: '币种不一致。' },
  CART_CHANGED: {
    en: 'Prices have changed. Please look at your order again.',
    zh: '价格已变动，请重新确认订单。',
  },
  USES_EXHAUSTED: { en: 'This promotion has been used up.', zh: '该活动使用次数已达上限。' },
  USER_USES_EXHAUSTED: {
    en: 'You have used this promotion as often as you can.',
    zh: '您使用该活动的次数已达上限。',
  },
  BUDGET_EXHAUSTED: { en: 'The budget of this promotion is used up.', zh: '该活动预算已用完。' },
  NOTHING_TO_RETURN: { en: 'There is nothing to return.', zh: '没有可退还的内容。' },
  QUANTITY_ABOVE_REMAINING: {
    en: 'More items than remain cannot be returned.',
    zh: '退货数量超过可退数量。',
  },
  LINE_NOT_FOUND: { en: 'This item is not in the order.', zh: '订单中没有该商品。' },
  CODE_NOT_FOUND: { en: 'This code is not valid.', zh: '该兑换码无效。' },
  CODE_ALREADY_USED: { en: 'This code has already been used.', zh: '该兑换码已被使用。' },
  TOO_MANY_CODE_ATTEMPTS: {
    en: 'Too many attempts. Please try again later.',
    zh: '尝试次数过多，请稍后再试。',
  },
  PROMOTION_WITHOUT_CODES: {
    en: 'This promotion has no codes of its own.',
    zh: '该活动不使用一次性兑换码。',
  },
  CODE_BATCH_EXPORTED: { en: 'These codes can no longer be exported.', zh: '该批兑换码已不可导出。' },
  PROMOTION_NOT_EXCHANGEABLE: {
    en: 'This coupon cannot be bought with points.',
    zh: '该优惠券不支持积分兑换。',
  },
  INSUFFICIENT_POINTS: { en: 'You do not have enough points.', zh: '您的积分不足。' },
  NOT_IN_DEVELOPMENT: { en: 'This works in development only.', zh: '该功能仅限开发环境使用。' },
  PROMOTION_NOT_GRANTABLE: { en: 'This coupon cannot be granted.', zh: '该优惠券不支持发放。' },
  JOB_NOT_FOUND: { en: 'This job does not exist.', zh: '该任务不存在。' },
  JOB_RUNNING: { en: 'This job is already running.', zh: '该任务正在运行。' },
  EVENT_NOT_FOUND: { en: 'This event does not exist.', zh: '该事件不存在。' },
  SELF_REFERRAL: { en: 'You cannot invite yourself.', zh: '不能邀请自己。' },
  ALREADY_REFERRED: { en: 'This user has already been invited.', zh: '该用户已被他人邀请。' },
  WEBHOOK_NOT_FOUND: { en: 'This webhook does not exist.', zh: '该回调地址不存在。' },
  DEAD_LETTER_NOT_FOUND: { en: 'This message does not exist.', zh: '该消息不存在。' },
  CURSOR_INVALID: { en: 'This position is not valid.', zh: '该位置无效。' },
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
