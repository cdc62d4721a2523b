import { foreignToken, keyOfPageToken, type PagedQuery, pageTokenAfter } from '../page-token.ts';

/** Rows of a page when the caller does not say how many. */
const DEFAULT_PAGE_SIZE = 50;

/** The number of rows asked for. */
export function pageSizeOf(pageSize: number): number {
  return pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize;
}

/** The numbers of a page token's key; undefined for the first page. Throws INVALID_REQUEST naming `page_token`. */
export function numbersOfPageToken(token: string, query: PagedQuery): readonly number[] | undefined {
  const numbers = keyOfPageToken(token, query)?.split(',').map(Number);
  if (numbers === undefined || numbers.every(Number.isSafeInteger)) return numbers;
  throw foreignToken();
}

/** The token for the page after the row with these numbers; empty when there is none. */
export function tokenAfterNumbers(numbers: readonly number[] | undefined, query: PagedQuery): string {
  return numbers === undefined ? '' : pageTokenAfter(numbers.join(','), query);
}
