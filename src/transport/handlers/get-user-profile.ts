/** GetUserProfile: what is known about a user, masked; of one who was erased only when that was. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Refusal } from '../../domain/refusal.ts';
import { factsIn } from '../../events/stored-facts.ts';
import type {
  GetUserProfileRequestSchema,
  GetUserProfileResponseSchema,
} from '../../gen/hongbao/v1/privacy_service_pb.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { accountOf, walletOf } from '../../ledger/transaction.ts';
import { erasedAtMs } from '../../privacy/forget-ledger.ts';
import type { Profiles } from '../../privacy/profiles.ts';
import type { UnaryHandler } from '../binding.ts';
import { userFactsMessage } from '../user-facts-message.ts';

/** Makes the handler. */
export function getUserProfile({
  ledger,
  profiles,
}: {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly profiles: Profiles;
}): UnaryHandler<typeof GetUserProfileRequestSchema, typeof GetUserProfileResponseSchema> {
  return async ({ userId }, { deadlineMs }) => {
    const names = [accountOf(userId), walletOf(userId)];
    const [[account, wallet], profile] = await Promise.all([
      ledger.read(deadlineMs, (reads) => reads.records(names)),
      profiles.masked(userId, deadlineMs),
    ]);
    const erasedMs = account && erasedAtMs(account);
    if (erasedMs !== undefined) return { userId, erasedAt: timestampFromMs(erasedMs) };
    if (!account?.size && !wallet?.size && profile === undefined)
      throw new Refusal('USER_NOT_FOUND', 'Nothing is known about such a user');
    const facts = account && factsIn(account);
    return {
      userId,
      maskedPhone: profile?.phone ?? '',
      maskedName: profile?.name ?? '',
      ...(facts !== undefined && { facts: userFactsMessage(facts) }),
      ...(facts?.registeredAtMs !== undefined && { registeredAt: timestampFromMs(facts.registeredAtMs) }),
    };
  };
}
