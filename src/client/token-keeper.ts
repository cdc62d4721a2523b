/** Gives a token: from a vault, a file that is renewed, an identity provider. Asked again when the service refuses one. */
export type TokenSource = () => string | Promise<string>;

/** Keeps the token until it is refused. Calls that meet the same refusal wait for one new token together. */
export class TokenKeeper {
  readonly #source: TokenSource;
  #token: Promise<string> | undefined;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** The token in use. Rejects with what the source rejects with; the next call asks it again. */
  get(): Promise<string> {
    this.#token ??= this.#ask();
    return this.#token;
  }

  /** Says that this token was refused. One that another call has replaced meanwhile stays. */
  async refused(token: string): Promise<void> {
    const current = this.#token;
    if (current !== undefined && (await current.catch(() => token)) === token && this.#token === current)
      this.#token = undefined;
  }

  #ask(): Promise<string> {
    const asked = Promise.resolve().then(this.#source);
    asked.catch(() => {
      if (this.#token === asked) this.#token = undefined;
    });
    return asked;
  }
}
