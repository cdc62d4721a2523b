import type { Promotion } from '../../gen/hongbao/v1/promotion_pb.ts';
import { counted, listText, type Text } from './text.ts';

/** Whom a promotion is for and how long its coupons live; nothing where there is no condition. */
export function audienceTexts({ target, validity }: Promotion): Text[] {
  const texts: Text[] = [];
  const audience = target?.audience;
  if (audience?.case === 'newUsers') texts.push(newUsersText(audience.value.registeredWithinDays));
  if (audience?.case === 'taggedUsers') {
    const tags = listText(audience.value.anyOfTags);
    texts.push({ en: `Only for ${tags.en}`, zh: `仅限用户：${tags.zh}` });
  }
  if (validity?.kind.case === 'daysAfterClaim') texts.push(daysText(validity.kind.value.days));
  return texts;
}

function newUsersText(days: number | undefined): Text {
  return days === undefined
    ? { en: 'New users only', zh: '仅限新用户' }
    : {
        en: `New users only, within ${counted(days, 'day')} of registration`,
        zh: `仅限注册${days}天内的新用户`,
      };
}

function daysText(days: number): Text {
  return { en: `Valid for ${counted(days, 'day')} after claim`, zh: `领取后${days}天内有效` };
}
