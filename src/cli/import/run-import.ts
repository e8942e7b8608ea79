import type { RegistrySession } from '../../client/registry-session.ts';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { SerialByKey } from '../../lib/serial-by-key.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ExitCode } from '../io.ts';
import { ByteBudget } from './byte-budget.ts';
import { copyRepository } from './copy-repository.ts';
import { type Destination, repositoryAt } from './destination.ts';
import type { ImportPlan, RepositoryPlan } from './import-plan.ts';
import { Differences, type ImportReport, lackOf } from './import-report.ts';
import type { ImportSource, SourceRepository } from './import-source.ts';
import { ImportTarget } from './import-target.ts';
import { planRepository } from './plan-repository.ts';
import type { ImportProgress } from './progress.ts';
import { forEachBounded, Requests } from './requests.ts';
import type { UploadJournal } from './upload-journal.ts';

/**
 * An import: look at both sides, then copy what the destination lacks. It keeps nothing but the names of open uploads:
 * what is done is at the destination, so the same import begun again finds it there and does the rest, and one that
 * finds nothing to do is the proof that all has come.
 */
export interface ImportOrder {
  readonly source: ImportSource;
  readonly destination: Destination;
  readonly session: RegistrySession;
  readonly journal: UploadJournal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly jobs: number;
  readonly dryRun: boolean;
  readonly repositories: (name: string) => boolean;
  readonly tags: (tag: string) => boolean;
  /** Something was asked for by name: then finding nothing is an error. */
  readonly selective: boolean;
  /** Also manifests without a tag, where the source can list them. */
  readonly untagged: boolean;
  readonly progress: ImportProgress;
}

/** @throws when one of the two sides can't be used at all; what concerns one object is in the report */
export async function runImport(order: ImportOrder): Promise<{ report: ImportReport; exit: ExitCode }> {
  const startMs = order.clock.bootMs();
  const differences = new Differences();
  const requests = new Requests(order.jobs);
  await assertLoggedIn(order);
  const plan = await planned(order, differences, requests);
  order.progress.begin(plan);
  const { session, journal, clock, signal, jobs, dryRun, progress } = order;
  const shared = { session, journal, clock, signal, jobs, dryRun, differences, requests };
  const deps = {
    ...shared,
    homes: new Map<Digest, string>(),
    blobsInTurn: new SerialByKey(),
    events: progress,
  };
  await forEachBounded(plan.repositories, jobs, (one) => copyRepository(deps, one));
  progress.end();
  const report: ImportReport = {
    source: order.source.label,
    destination: session.url,
    remark: order.source.remark ?? null,
    dryRun,
    complete: differences.exit === 0,
    tookMs: clock.bootMs() - startMs,
    repositories: plan.repositories.map(({ tally }) => tally.report()),
    differences: differences.sorted(),
    differencesLeftOut: differences.leftOut,
  };
  return { report, exit: differences.exit };
}

/** What holds for every request is said once. @throws unauthorized, unavailable */
async function assertLoggedIn({ session, signal }: ImportOrder): Promise<void> {
  const response = await session.send({ method: 'GET', path: '/v2/', scopes: [], signal });
  await response.body.dump();
}

async function planned(
  order: ImportOrder,
  differences: Differences,
  requests: Requests,
): Promise<ImportPlan> {
  const found = await order.source.repositories();
  const chosen = found.filter(({ name }) => name === undefined || order.repositories(name));
  if (chosen.length === 0) throw nothingIn(order.source);
  const { destination, jobs, progress } = order;
  const deps = {
    target: new ImportTarget(order.session, order.signal),
    requests,
    jobs,
    differences,
    budget: new ByteBudget(limits.importManifestBytesKept),
    selection: {
      tags: order.tags,
      untagged: order.untagged,
      renamed: destination.kind === 'repository' ? destination.tag : undefined,
    },
  };
  const repositories: RepositoryPlan[] = [];
  const places = placesOf(chosen, destination, differences);
  await forEachBounded(places, jobs, async ({ source, name }) => {
    progress.looking(name, repositories.length);
    try {
      repositories.push(await planRepository(deps, source, name));
    } catch (error) {
      if (places.length === 1) throw error;
      differences.add({ repository: name, what: 'repository', ...lackOf(error) });
    }
  });
  const empty = repositories.every(({ manifests }) => manifests.size === 0);
  if (order.selective && empty && differences.exit === 0) throw nothingIn(order.source);
  repositories.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { repositories, ...sizeOf(repositories) };
}

function nothingIn({ label }: ImportSource): LazaretError {
  return new LazaretError('notFound', `${label} has nothing that was asked for`);
}

/** What the source calls a repository may be no name that a server can have: told, and left out. */
function placesOf(sources: readonly SourceRepository[], destination: Destination, differences: Differences) {
  return sources.flatMap((source) => {
    try {
      return [{ source, name: repositoryAt(destination, source.name, sources.length) }];
    } catch (error) {
      if (!(error instanceof LazaretError) || error.code !== 'nameInvalid') throw error;
      differences.add({ repository: source.name ?? '', what: 'repository', ...lackOf(error) });
      return [];
    }
  });
}

function sizeOf(repositories: readonly RepositoryPlan[]): Pick<ImportPlan, 'sizeBytes' | 'blobs'> {
  const sizes = new Map<Digest, number>();
  for (const { blobs } of repositories)
    for (const { digest, sizeBytes, state } of blobs.values())
      if (state === 'toCopy') sizes.set(digest, sizeBytes);
  return { blobs: sizes.size, sizeBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) };
}
