/** A process that dies at one of its calls to a store: before the call is made, or after it was carried out and unheard of. */
import type { Sql } from '../../src/database/client.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';

/** What a dead process's calls end with; nobody hears it, since whoever called is dead too. */
export class DeadError extends Error {
  override readonly name = 'DeadError';
}

const LEDGER_CALLS: ReadonlySet<PropertyKey> = new Set(['read', 'transact', 'ensureDefined', 'define']);

/** See the module's comment. */
export class DyingProcess {
  isDead = false;
  private calls = 0;
  private readonly at: number;
  private readonly isCarriedOut: boolean;

  /**
   * @param at number of the call it dies at, from 0
   * @param isCarriedOut the store still does what that call asks for
   */
  constructor(at: number, isCarriedOut: boolean) {
    this.at = at;
    this.isCarriedOut = isCarriedOut;
  }

  /** The ledger as this process has it. */
  ledger(ledger: Ledger): Ledger {
    return new Proxy(ledger, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        const call = value.bind(target);
        if (!LEDGER_CALLS.has(name)) return call;
        return (...args: unknown[]) => this.call(async () => await call(...args));
      },
    });
  }

  /** The database as this process has it. */
  sql(sql: Sql): Sql {
    return new Proxy(sql, {
      apply: (target, self, args) => {
        const made: unknown = Reflect.apply(target, self, args);
        return made instanceof Promise ? this.statement(made) : made;
      },
    });
  }

  /** Everything that an object of promises does, as this process has it. */
  all<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        const call = value.bind(target);
        return (...args: unknown[]) => this.call(async () => await call(...args));
      },
    });
  }

  /** A statement is sent when somebody waits for it. */
  private statement(statement: Promise<unknown>): Promise<unknown> {
    return new Proxy(statement, {
      get: (target, name) => {
        if (name === 'then') {
          const answer = (): Promise<unknown> => this.call(async () => await target);
          return (...handlers: Parameters<Promise<unknown>['then']>) => answer().then(...handlers);
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  private async call(work: () => Promise<unknown>): Promise<unknown> {
    if (this.isDead) throw new DeadError();
    this.calls += 1;
    if (this.calls <= this.at) return await work();
    this.isDead = true;
    if (this.isCarriedOut) await work();
    throw new DeadError();
  }
}

/** How many points were gone through. */
export interface Points {
  readonly before: number;
  readonly after: number;
}

/**
 * Lets one process after the other run and die one call later than the one before, until one comes through; first before
 * each call, then after it. `afterwards` looks at what each has left.
 */
export async function dieEverywhere<Scene>(
  run: (process: DyingProcess) => Promise<Scene>,
  afterwards: (scene: Scene, isThrough: boolean) => Promise<void>,
): Promise<Points> {
  const through = async (isCarriedOut: boolean): Promise<number> => {
    for (let at = 0; ; at += 1) {
      const process = new DyingProcess(at, isCarriedOut);
      await afterwards(await run(process), !process.isDead);
      if (!process.isDead) return at;
    }
  };
  return { before: await through(false), after: await through(true) };
}
