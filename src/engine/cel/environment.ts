import { celEnv } from '@bufbuild/cel';
import { LIST_FUNCTIONS } from './list-functions.ts';
import { TIME_FUNCTIONS } from './time-functions.ts';

/** The language expressions are planned in: the library's standard one, with some functions replaced. */
export const ENVIRONMENT = celEnv({ funcs: [...LIST_FUNCTIONS, ...TIME_FUNCTIONS] });
