import { COUPON_FIELD_BYTES } from '../../domain/coupon.ts';
import { appliedValue, type LedgerEntry, type LedgerEvent, type Write } from '../../ledger/event-format.ts';
import type { Check } from './check.ts';

/** A wallet as the events made it: field names and values as latin1 text. */
export type WalletImage = ReadonlyMap<string, string>;

const COUNTER_FIELD_BYTES = 5;
/** Place of the per-user limit (u32, 0 = none) in a live definition; a test holds it to the encoder. */
const LIMIT_OFFSET = 7;
const DEFINITION_FIELD = 'd';

/** Replays the events of some wallets and checks I2 and I4 at every one. */
export class WalletFold {
  private readonly images = new Map<string, Map<string, string>>();
  /** Per-user limit in force, by ref; 0 = none. */
  private readonly limits = new Map<number, number>();
  private readonly includes: (userId: string) => boolean;
  private readonly limit: Check;
  private readonly once: Check;
  private readonly isWhole: boolean;

  /**
   * @param includes which users this pass is about: a long log is folded in several passes, so that memory is bounded
   * @param isWhole false when the log does not reach back to the start
   */
  constructor(
    includes: (userId: string) => boolean,
    checks: { readonly limit: Check; readonly once: Check },
    isWhole: boolean,
  ) {
    this.includes = includes;
    this.limit = checks.limit;
    this.once = checks.once;
    this.isWhole = isWhole;
  }

  /** The wallets after the last entry added. */
  get wallets(): ReadonlyMap<string, WalletImage> {
    return this.images;
  }

  /** Adds the next entry. */
  add(seq: number, entry: LedgerEntry): void {
    entry.events.forEach((event, index) => {
      for (const write of event.writes) {
        if (write.target === 'promotion') this.noteLimit(write);
        if (write.target === 'wallet' && this.includes(write.id))
          this.addWallet(seq, event, write, `event ${seq}:${index}`);
      }
    });
  }

  private noteLimit({ id, fields }: Write): void {
    const definition = fields.find(({ field }) => field.toString('latin1') === DEFINITION_FIELD);
    if (definition !== undefined) this.limits.set(Number(id), definition.value.readUInt32BE(LIMIT_OFFSET));
  }

  private addWallet(seq: number, event: LedgerEvent, write: Write, place: string): void {
    const image = this.images.get(write.id) ?? new Map<string, string>();
    this.images.set(write.id, image);
    if (event.kind === 'claimed') this.checkClaim(write, image, place);
    for (const { field, value } of write.fields) {
      image.set(field.toString('latin1'), appliedValue(field, value, seq).toString('latin1'));
    }
  }

  /** A claim brings a coupon the wallet does not have, and counts it, within the limit then in force. */
  private checkClaim(write: Write, image: WalletImage, place: string): void {
    for (const { field, value } of write.fields) {
      if (field.length === COUPON_FIELD_BYTES) {
        this.once.count('coupons issued');
        this.once.require(
          !image.has(field.toString('latin1')),
          () => `${place} issues coupon ${field.toString('hex')} again`,
        );
      } else if (field.length === COUNTER_FIELD_BYTES) {
        this.checkCount(field, Number(value.toString('latin1')), image, place);
      }
    }
    const isCounted = write.fields.some(({ field }) => field.length === COUNTER_FIELD_BYTES);
    this.limit.require(isCounted, () => `${place} claims without counting it`);
  }

  private checkCount(field: Buffer, after: number, image: WalletImage, place: string): void {
    this.limit.count('claims');
    const ref = field.readUInt32BE(1);
    const known = image.get(field.toString('latin1'));
    const before = known === undefined ? (this.isWhole ? 0 : after - 1) : Number(known);
    this.limit.require(
      after === before + 1,
      () => `${place} counts the user's claims of promotion ${ref} from ${before} to ${after}`,
    );
    const limit = this.limits.get(ref) ?? 0;
    this.limit.require(limit === 0 || after <= limit, () => {
      return `${place} is claim ${after} of promotion ${ref} by one user, the limit is ${limit}`;
    });
  }
}
