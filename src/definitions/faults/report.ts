import type { Promotion } from '../../gen/hongbao/v1/promotion_pb.ts';

/** Takes one fault: the path inside the promotion (`stock.quantity`) and what is wrong there, as a whole phrase. */
export type Report = (field: string, description: string) => void;

/**
 * Looks for contradictions of one concern and reports every one. It is given any decodable promotion, also one that breaks
 * the rules of single fields; those are reported elsewhere and must not make it throw.
 */
export type FaultFinder = (promotion: Promotion, report: Report) => void;
