/** What is wrong with the bytes of a tar archive, as the rest of a sentence for a person. */
export class TarProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TarProblem';
  }
}
