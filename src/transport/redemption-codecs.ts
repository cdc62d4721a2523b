/** The generated codecs of the requests every order makes. */
import {
  decodeCommitReservationRequest,
  decodeReleaseReservationRequest,
  decodeReserveCouponsRequest,
  decodeUseCouponsRequest,
  violationsOfCommitReservationRequest,
  violationsOfReleaseReservationRequest,
  violationsOfReserveCouponsRequest,
  violationsOfUseCouponsRequest,
} from '../gen/hot/redemption-requests.ts';

/** Of ReserveCoupons. */
export const reserveCouponsCodec = {
  decode: decodeReserveCouponsRequest,
  violationsOf: violationsOfReserveCouponsRequest,
};

/** Of UseCoupons. */
export const useCouponsCodec = {
  decode: decodeUseCouponsRequest,
  violationsOf: violationsOfUseCouponsRequest,
};

/** Of CommitReservation. */
export const commitReservationCodec = {
  decode: decodeCommitReservationRequest,
  violationsOf: violationsOfCommitReservationRequest,
};

/** Of ReleaseReservation. */
export const releaseReservationCodec = {
  decode: decodeReleaseReservationRequest,
  violationsOf: violationsOfReleaseReservationRequest,
};
