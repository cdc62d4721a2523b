import { Refusal } from '../domain/refusal.ts';

/** What was thrown, as the refusal it is, or as an internal error that says `message` and keeps the cause for the log. */
export function asRefusal(error: unknown, message: string): Refusal {
  return error instanceof Refusal ? error : new Refusal('INTERNAL', message, { cause: error });
}
