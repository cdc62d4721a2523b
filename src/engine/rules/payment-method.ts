import { allowedTexts } from '../allowed-texts.ts';
import type { RuleCompiler } from '../rule-parts.ts';

/** The order is paid in one of some ways. */
export const paymentMethod: RuleCompiler<'payment_method'> = {
  kind: 'payment_method',
  compile({ paymentMethods }) {
    const failureOf = allowedTexts(paymentMethods, 'payment_method', 'PAYMENT_METHOD_NOT_ALLOWED');
    return { check: ({ cart }) => failureOf(cart.cart.paymentMethod) };
  },
};
