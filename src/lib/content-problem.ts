/** A file can't be read as asked; the sentence says why. Where an extractor asked, its result becomes *unknown*. */
export class ContentProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ContentProblem';
  }
}
