import { COUPON_FIELD_BYTES } from '../../domain/coupon.ts';
import { issuesCoupons, type LedgerEvent, type Write } from '../../ledger/event-format.ts';
import { claimCounterField, PROMOTION_FIELDS } from '../../ledger/record-fields.ts';
import { applyWrite, type RecordImage } from './apply-write.ts';
import type { Check } from './check.ts';

/** Place of the promotion's ref in a coupon's value. */
const REF_OFFSET = 4;
/** Place of the per-user limit (u32, 0 = none) in a live definition; a test holds it to the encoder. */
const LIMIT_OFFSET = 7;

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
  get wallets(): ReadonlyMap<string, RecordImage> {
    return this.images;
  }

  /** Adds the next event. */
  addEvent(seq: number, event: LedgerEvent, place: string): void {
    for (const write of event.writes) {
      if (write.target === 'promotion') this.noteLimit(write);
      if (write.target === 'wallet' && this.includes(write.id)) this.addWallet(seq, event, write, place);
    }
  }

  private noteLimit({ id, fields }: Write): void {
    const definition = fields.find(
      ({ field }) => field.toString('latin1') === PROMOTION_FIELDS.definition.name,
    );
    if (definition?.value !== undefined)
      this.limits.set(Number(id), definition.value.readUInt32BE(LIMIT_OFFSET));
  }

  private addWallet(seq: number, event: LedgerEvent, write: Write, place: string): void {
    const image = this.images.get(write.id) ?? new Map<string, string>();
    this.images.set(write.id, image);
    if (issuesCoupons(event.kind)) this.checkIssue(write, image, place);
    applyWrite(image, write, seq);
  }

  /** An issue brings coupons the wallet does not have, and counts each, within the limit then in force. */
  private checkIssue(write: Write, image: RecordImage, place: string): void {
    const coupons = write.fields.filter(({ field }) => field.length === COUPON_FIELD_BYTES);
    for (const { field } of coupons) {
      this.once.count('coupons issued');
      this.once.require(
        !image.has(field.toString('latin1')),
        () => `${place} issues coupon ${field.toString('hex')} again`,
      );
    }
    for (const [ref, issued] of Map.groupBy(coupons, ({ value }) => value?.readUInt32BE(REF_OFFSET))) {
      if (ref !== undefined) this.checkCount(write, ref, issued.length, image, place);
    }
  }

  private checkCount(write: Write, ref: number, issued: number, image: RecordImage, place: string): void {
    this.limit.count('coupons issued', issued);
    const field = claimCounterField(ref);
    const after = countIn(write.fields.find((other) => other.field.equals(field))?.value);
    if (after === undefined) {
      this.limit.breach(`${place} issues without counting it`);
      return;
    }
    const known = image.get(field.toString('latin1'));
    const before = known === undefined ? (this.isWhole ? 0 : after - issued) : Number(known);
    this.limit.require(
      after === before + issued,
      () => `${place} counts the user's coupons of promotion ${ref} from ${before} to ${after}`,
    );
    const limit = this.limits.get(ref) ?? 0;
    this.limit.require(limit === 0 || after <= limit, () => {
      return `${place} is coupon ${after} of promotion ${ref} of one user, the limit is ${limit}`;
    });
  }
}

function countIn(value: Buffer | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toString('latin1'));
}
