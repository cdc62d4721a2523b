/** A contract asks for something the hot codecs cannot do. Generation stops: a rule that is left out silently is a hole. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';

  constructor(subject: { toString(): string }, what: string) {
    super(
      `${subject.toString()}: hot codecs do not support ${what}; extend tools/hot-codecs or keep it off hot messages`,
    );
  }
}
