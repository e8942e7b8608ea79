import { sql } from 'kysely';
import { globMatcher } from '../../lib/globs.ts';
import { purlCovers } from '../../vex/covers.ts';
import type { Database } from '../db/database.ts';
import { textTable } from '../db/engine.ts';

/**
 * A finding that an exception is about, and where. Exceptions are few beside findings, and globs and purls are compared
 * here, so a search is given these rows rather than the exceptions.
 */
export interface ExceptedFinding {
  /** Its key. */
  readonly exception: number;
  readonly packageId: number;
  /** The advisory's row. */
  readonly advisoryId: number;
  /** 0: any image. */
  readonly manifestId: number;
  /** 0: everywhere; a repository's id; or the negative id of an account, of all its repositories. */
  readonly place: number;
}

interface ActiveException {
  readonly id: number;
  readonly account: string | null;
  readonly repository_glob: string | null;
  readonly image_digest: string | null;
  readonly purl: string | null;
  readonly advisory: string;
  readonly aliases: string;
}

/** @param operatorOnly those of accounts don't count */
export async function exceptedFindings(
  database: Database,
  { operatorOnly = false }: { readonly operatorOnly?: boolean | undefined } = {},
): Promise<readonly ExceptedFinding[]> {
  const active = await database.search(
    sql<ActiveException>`select id, account, repository_glob, image_digest, purl, advisory, aliases from exceptions
      where state = 'accepted' and (expires_at is null or expires_at > ${database.nowMs()})
        and ${operatorOnly ? sql`account is null` : sql`1 = 1`}`.compile(database.read),
  );
  if (active.length === 0) return [];
  const [findings, images, places] = await Promise.all([
    findingsNamed(database, active),
    imagesNamed(database, active),
    placesOf(database, active),
  ]);
  return active.flatMap((exception) => {
    const covers = exception.purl === null ? () => true : purlCovers(exception.purl);
    const found = new Map(
      namesOf(exception)
        .flatMap((name) => findings.get(name) ?? [])
        .filter(covers)
        .map((finding) => [`${finding.packageId} ${finding.advisoryId}`, finding]),
    );
    const manifestIds = exception.image_digest === null ? [0] : (images.get(exception.image_digest) ?? []);
    const { id } = exception;
    return [...found.values()].flatMap(({ packageId, advisoryId }) =>
      manifestIds.flatMap((manifestId) =>
        places(exception).map((place) => ({
          exception: Number(id),
          packageId,
          advisoryId,
          manifestId,
          place,
        })),
      ),
    );
  });
}

function namesOf({ advisory, aliases }: ActiveException): string[] {
  const others: readonly string[] = JSON.parse(aliases);
  return [...new Set([advisory, ...others])];
}

interface NamedFinding {
  readonly name: string;
  readonly packageId: number;
  readonly advisoryId: number;
  readonly purl: string;
  readonly sourceName: string | null;
}

/**
 * The findings of all advisories of the flaw that a name means. An alias counts where the advisory is about that one flaw:
 * a distribution's that passes on several CVEs is not excepted by one of them.
 */
async function findingsNamed(
  database: Database,
  active: readonly ActiveException[],
): Promise<ReadonlyMap<string, readonly NamedFinding[]>> {
  const names = [...new Set(active.flatMap(namesOf))];
  const rows = await database.search(
    sql<NamedFinding>`with named as (select wanted.text from ${textTable(database.engine, names)}),
      meant as (
        select named.text as name, advisories.id from named join advisories on advisories.flaw = named.text
        union select named.text, others.id from named join advisories on advisories.advisory_id = named.text
          join advisories as others on others.flaw = advisories.flaw
        union select named.text, advisory_aliases.advisory_id from named
          join advisory_aliases on advisory_aliases.alias = named.text
          where (select count(*) from advisory_aliases as own where own.advisory_id = advisory_aliases.advisory_id
            and own.alias like 'CVE-%') <= 1)
      select meant.name, findings.package_id as "packageId", findings.advisory_id as "advisoryId", packages.purl,
        packages.source_name as "sourceName"
      from meant join findings on findings.advisory_id = meant.id and findings.until is null
      join packages on packages.id = findings.package_id`.compile(database.read),
  );
  const ids = rows.map((row) => ({
    ...row,
    packageId: Number(row.packageId),
    advisoryId: Number(row.advisoryId),
  }));
  return Map.groupBy(ids, ({ name }) => name);
}

/** By digest: the image itself, or the images of the index that it is. */
async function imagesNamed(
  database: Database,
  active: readonly ActiveException[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const digests = [...new Set(active.flatMap(({ image_digest: digest }) => digest ?? []))];
  if (digests.length === 0) return new Map();
  const rows = await database.search(
    sql<{
      digest: string;
      id: number;
    }>`with named as (select wanted.text from ${textTable(database.engine, digests)})
      select named.text as digest, manifests.id from named join manifests on manifests.digest = named.text
      union select named.text, children.id from named join manifests on manifests.digest = named.text
        join edges on edges.manifest_id = manifests.id and edges.kind = 'child'
        join manifests as children on children.digest = edges.digest`.compile(database.read),
  );
  const byDigest = Map.groupBy(rows, ({ digest }) => digest);
  return new Map([...byDigest].map(([digest, of]) => [digest, of.map(({ id }) => Number(id))]));
}

async function placesOf(
  database: Database,
  active: readonly ActiveException[],
): Promise<(exception: ActiveException) => readonly number[]> {
  const accounts = new Map(
    (
      await database.search(
        sql<{ id: number; name: string }>`select id, name from accounts`.compile(database.read),
      )
    ).map(({ id, name }) => [name, Number(id)]),
  );
  const globs = [...new Set(active.flatMap(({ repository_glob: glob }) => glob ?? []))];
  const repositories =
    globs.length === 0
      ? []
      : await database.search(
          sql<{
            id: number;
            name: string;
            account_id: number;
          }>`select id, name, account_id from repositories`.compile(database.read),
        );
  const matching = new Map(
    globs.map((glob) => {
      const matches = globMatcher(glob);
      return [glob, repositories.filter(({ name }) => matches(name))];
    }),
  );
  return ({ account, repository_glob: glob }) => {
    const accountId = account === null ? undefined : accounts.get(account);
    if (account !== null && accountId === undefined) return [];
    if (glob === null) return [accountId === undefined ? 0 : -accountId];
    return (matching.get(glob) ?? [])
      .filter((repository) => accountId === undefined || Number(repository.account_id) === accountId)
      .map(({ id }) => Number(id));
  };
}
