/** The generated codecs of the calls every order makes. */
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
import {
  encodeCommitReservationResponse,
  encodeReleaseReservationResponse,
  encodeReserveCouponsResponse,
  encodeUseCouponsResponse,
} from '../gen/hot/redemption-responses.ts';

/** Of ReserveCoupons. */
export const reserveCouponsCodec = {
  decode: decodeReserveCouponsRequest,
  violationsOf: violationsOfReserveCouponsRequest,
  encode: encodeReserveCouponsResponse,
};

/** Of UseCoupons. */
export const useCouponsCodec = {
  decode: decodeUseCouponsRequest,
  violationsOf: violationsOfUseCouponsRequest,
  encode: encodeUseCouponsResponse,
};

/** Of CommitReservation. */
export const commitReservationCodec = {
  decode: decodeCommitReservationRequest,
  violationsOf: violationsOfCommitReservationRequest,
  encode: encodeCommitReservationResponse,
};

/** Of ReleaseReservation. */
export const releaseReservationCodec = {
  decode: decodeReleaseReservationRequest,
  violationsOf: violationsOfReleaseReservationRequest,
  encode: encodeReleaseReservationResponse,
};
