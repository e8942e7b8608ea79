import { parseRepositoryName } from '../../oci/reference.ts';
import type { ExceptionSource, ExceptionTerms, NewException } from '../../records/exceptions/exceptions.ts';
import type { ExceptingStatus, VexDocument, VexStatement } from '../../vex/openvex.ts';
import type { VexTarget } from '../../vex/products.ts';

/** What a document says, as exceptions, and what of it can't become any. */
export interface Said {
  readonly exceptions: readonly NewException[];
  /** Statements that a finding counts, or may. */
  readonly otherStatements: number;
  readonly unaddressed: readonly { readonly path: string; readonly reason: string }[];
}

export interface SaidAs extends Pick<ExceptionTerms, 'account' | 'expiresAt'> {
  readonly state: NewException['state'];
  /** sha256 of its bytes. */
  readonly digest: string;
  /** The referrer that it came as. */
  readonly manifest: string | null;
  /** What a product of the document means here; text: why nothing. */
  readonly place: (target: VexTarget) => Pick<ExceptionTerms, 'repositoryGlob' | 'imageDigest'> | string;
  /** Of a statement without products. */
  readonly withoutProducts?: VexTarget;
}

export function exceptionsSaid(document: VexDocument, as: SaidAs): Said {
  const unaddressed: { path: string; reason: string }[] = [];
  const exceptions: NewException[] = [];
  let otherStatements = 0;
  for (const statement of document.statements) {
    const { status } = statement;
    if (status !== 'not_affected' && status !== 'fixed') {
      otherStatements += 1;
      continue;
    }
    unaddressed.push(...statement.unaddressed);
    for (const target of targetsOf(statement, as)) {
      const place = as.place(target);
      if (typeof place === 'string') unaddressed.push({ path: target.path, reason: place });
      else exceptions.push(exceptionOf(document, { statement, status, target, place, as }));
    }
    if (targetsOf(statement, as).length + statement.unaddressed.length === 0)
      unaddressed.push({ path: statement.path, reason: 'names no product' });
  }
  return { exceptions, otherStatements, unaddressed };
}

/** What an exception says, whoever said it when: two that say the same are one. */
export function saying(one: ExceptionTerms): string {
  const { repositoryGlob, imageDigest, purl, advisory, aliases, status, justification, statement } = one;
  return JSON.stringify([
    repositoryGlob,
    imageDigest,
    purl,
    advisory,
    aliases,
    status,
    justification,
    statement,
  ]);
}

/** Whose repositories a document may name; the operator's any. */
export function placeFor(account: string | null): SaidAs['place'] {
  return ({ repository, imageDigest }) => {
    if (repository !== null && account !== null && parseRepositoryName(repository).account !== account)
      return `${repository} is no repository of ${account}`;
    return { repositoryGlob: repository, imageDigest };
  };
}

function targetsOf(statement: VexStatement, { withoutProducts }: SaidAs): readonly VexTarget[] {
  const isBare = statement.targets.length + statement.unaddressed.length === 0;
  return isBare && withoutProducts ? [{ ...withoutProducts, path: statement.path }] : statement.targets;
}

function exceptionOf(
  document: VexDocument,
  of: {
    readonly statement: VexStatement;
    readonly status: ExceptingStatus;
    readonly target: VexTarget;
    readonly place: Pick<ExceptionTerms, 'repositoryGlob' | 'imageDigest'>;
    readonly as: SaidAs;
  },
): NewException {
  const { statement, status, target, place, as } = of;
  const { advisory, aliases, justification, text } = statement;
  const source: ExceptionSource = {
    document: document.id,
    version: document.version,
    digest: as.digest,
    path: target.path,
    manifest: as.manifest,
  };
  const { author } = document;
  const said = { advisory, aliases, status, justification, statement: text, author };
  return {
    ...said,
    ...place,
    purl: target.purl,
    account: as.account,
    expiresAt: as.expiresAt,
    state: as.state,
    source,
  };
}
