import { minorDigits } from '../../domain/money.ts';
import type { Text } from './text.ts';

/** The currency people in China expect when none is said, as in "满100可用". */
const UNNAMED_IN_CHINESE = 'CNY';

/**
 * An amount of minor units as people read it: "$12.50" and "12.50美元", "CN¥100" and "100". Whole amounts show no
 * decimals.
 */
export function moneyText(amountMinor: bigint, currency: string): Text {
  const digits = minorDigits(currency);
  const amount = Number(amountMinor) / 10 ** digits;
  const style = {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    trailingZeroDisplay: 'stripIfInteger',
  } as const;
  const en = new Intl.NumberFormat('en', style).format(amount);
  if (currency !== UNNAMED_IN_CHINESE) {
    return { en, zh: new Intl.NumberFormat('zh', { ...style, currencyDisplay: 'name' }).format(amount) };
  }
  const plain = {
    minimumFractionDigits: digits,
    trailingZeroDisplay: 'stripIfInteger',
    useGrouping: false,
  } as const;
  return { en, zh: new Intl.NumberFormat('zh', plain).format(amount) };
}
