import { allowedTexts } from '../allowed-texts.ts';
import type { RuleCompiler } from '../rule-parts.ts';

/** The order comes from one of some sales channels. */
export const channel: RuleCompiler<'channel'> = {
  kind: 'channel',
  compile({ channels }) {
    const failureOf = allowedTexts(channels, 'channel', 'CHANNEL_NOT_ALLOWED');
    return { check: ({ cart }) => failureOf(cart.cart.channel) };
  },
};
