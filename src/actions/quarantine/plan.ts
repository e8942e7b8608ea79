import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Criteria } from '../../criteria/criteria.ts';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import { digestAlgorithm, parseDigest } from '../../oci/digest.ts';
import type { Database } from '../../records/db/database.ts';
import { logHead } from '../../records/log/log.ts';
import { type Plan, type PlanRequest, planGet, planKeep, type Radius } from '../../records/marks/plans.ts';
import type { Mark } from '../../records/marks/quarantines.ts';
import { imagesWithHome } from '../../records/regions/home.ts';
import type { ScanScope } from '../../records/scans/images.ts';
import { type StoredScan, scanGet } from '../../records/scans/scans.ts';
import { matchesWithEvidence } from '../scan/kept.ts';
import type { ScanResult } from '../scan/results.ts';
import { scan } from '../scan/scan.ts';
import { decideByCriteria } from './decide.ts';
import { radiusOf } from './radius.ts';

export interface QuarantineDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly region: string;
  /** How long quarantined bytes are kept, in milliseconds. */
  readonly retention: { readonly packagesMs: number; readonly harmfulMs: number };
}

/** What to mark without a question. Digests are sha256; what they name need not be here. */
export interface NamedTargets {
  readonly layers?: readonly string[];
  readonly manifests?: readonly string[];
  /** Globs. */
  readonly repositories?: readonly string[];
}

export interface PlanAsk {
  readonly question:
    | { readonly scan: string }
    | { readonly criteria: Criteria; readonly scope: ScanScope }
    | { readonly targets: NamedTargets };
  /** Default: `image` for packages and advisories, `layer` for bytes that are themselves the harm and for what is named. */
  readonly reach?: 'layer' | 'image';
  /** Of reach `image`, default `allow`: an image whose inspection ended without an answer. */
  readonly unknown?: 'allow' | 'refuse';
  readonly retentionMs?: number;
  /** Whose repositories: an account's, or (null) all, by the operator. */
  readonly account: string | null;
  readonly author: string;
}

/**
 * What a quarantine of the images that match, or of what is named, would do; nothing is changed but the plan's own row.
 * @throws invalid, notFound (the scan), conflict (nothing matches), unsupported (reach `image` away from home)
 */
export async function quarantinePlan(deps: QuarantineDeps, ask: PlanAsk): Promise<Plan> {
  const { cause, criteria, marks } = await wanted(deps, ask);
  const request: PlanRequest = {
    cause,
    criteria,
    reach: ask.reach ?? (isHarm(criteria) ? 'layer' : 'image'),
    unknown: ask.unknown ?? 'allow',
    retentionMs: ask.retentionMs ?? retentionOf(deps, criteria),
    marks,
  };
  if (request.reach === 'image' && criteria === null)
    throw new LazaretError(
      'invalid',
      "what is marked by name has reach 'layer': there is no question to spare by",
      {
        detail: { path: 'reach' },
      },
    );
  const radius = await radiusOf(deps, {
    ...request,
    account: ask.account,
    decide: decideByCriteria(deps.database, { ...request, account: ask.account }),
  });
  if (request.reach === 'image') await assertAllAtHome(deps, radius);
  const plan = {
    effect: 'quarantine' as const,
    request: { ...request, marks: withEveryCompression(request.marks, radius.layers) },
    radius,
    position: await logHead(deps.database.read),
    account: ask.account,
    author: ask.author,
    quarantineUid: null,
  };
  const name = await deps.database.transact((tx) => planKeep(tx, plan));
  return planNamed(deps, name);
}

/** @throws notFound */
export async function planNamed(deps: Pick<QuarantineDeps, 'database'>, name: string): Promise<Plan> {
  const plan = await planGet(deps.database.read, name);
  if (!plan) throw new LazaretError('notFound', `there is no plan '${name}'`);
  return plan;
}

type Wanted = Pick<PlanRequest, 'cause' | 'criteria' | 'marks'>;

/** @throws invalid, notFound (the scan), conflict (nothing matches) */
async function wanted(deps: QuarantineDeps, ask: PlanAsk): Promise<Wanted> {
  if ('targets' in ask.question)
    return { cause: ask.author, criteria: null, marks: marksNamed(ask.question.targets) };
  const answer = await answerOf(deps, ask.question, ask.author);
  const matching = matchesWithEvidence(deps.database, answer, ask.account === null);
  const marks = marksOf(await Array.fromAsync(matching));
  if (marks.length === 0)
    throw new LazaretError('conflict', `no image matches (${answer.name}): there is nothing to quarantine`);
  return { cause: answer.name, criteria: answer.criteria, marks };
}

/** @throws digestInvalid, invalid */
function marksNamed({ layers = [], manifests = [], repositories = [] }: NamedTargets): Mark[] {
  for (const digest of [...layers, ...manifests])
    if (digestAlgorithm(parseDigest(digest)) !== 'sha256')
      throw new LazaretError('digestInvalid', `${digest}: give its sha256`, { detail: { digest } });
  const marks = [
    ...[...new Set(layers)].map((digest) => markOf('layer', digest, [])),
    ...[...new Set(manifests)].map((digest) => markOf('manifest', digest, [])),
    ...[...new Set(repositories)].map(markOfRepository),
  ];
  if (marks.length > 0) return marks;
  throw new LazaretError('invalid', 'name a layer, a manifest or repositories', {
    detail: { path: 'targets' },
  });
}

function markOfRepository(glob: string): Mark {
  globMatcher(glob);
  return { target: 'repository', digest: null, diffId: null, repositoryGlob: glob, evidence: [] };
}

/** Of a scan that was answered before: what matched then and matches still. */
async function answerOf(
  deps: QuarantineDeps,
  question: Exclude<PlanAsk['question'], { targets: unknown }>,
  requestedBy: string,
): Promise<StoredScan> {
  const name =
    'scan' in question ? question.scan : (await scan(deps, { ...question, requestedBy, pageSize: 0 })).name;
  const stored = await scanGet(deps.database.read, name);
  if (!stored) throw new LazaretError('notFound', `there is no scan '${name}'`);
  return stored;
}

/** The layers that evidence names; the manifest of an image that matches only as a whole, or by its config. */
function marksOf(matching: readonly Pick<ScanResult, 'digest' | 'evidence'>[]): Mark[] {
  const layers = new Map<string, Mark>();
  const manifests = new Map<string, Mark>();
  for (const image of matching) {
    const ofConfig = image.evidence.filter((evidence) => evidence.layer === null);
    if (image.evidence.length === ofConfig.length)
      manifests.set(image.digest, markOf('manifest', image.digest, ofConfig));
    for (const evidence of image.evidence) {
      const { layer } = evidence;
      if (layer === null) continue;
      const before = layers.get(layer)?.evidence ?? [];
      const known = before.some((other) => JSON.stringify(other) === JSON.stringify(evidence));
      layers.set(layer, markOf('layer', layer, known ? before : [...before, evidence]));
    }
  }
  return [...layers.values(), ...manifests.values()];
}

function markOf(target: 'layer' | 'manifest', digest: string, evidence: Mark['evidence']): Mark {
  return { target, digest, diffId: null, repositoryGlob: null, evidence };
}

/** Each marked layer learns its diff id, and each other compression of it that is here gets a mark of its own. */
function withEveryCompression(
  marks: readonly Mark[],
  layers: readonly { digest: string; diffId: string | null }[],
): Mark[] {
  const named = new Map(marks.map((mark) => [mark.digest, mark]));
  const others = layers.filter((layer) => !named.has(layer.digest));
  return [
    ...marks.map((mark) => ({
      ...mark,
      diffId:
        mark.target === 'layer'
          ? (layers.find((layer) => layer.digest === mark.digest)?.diffId ?? null)
          : null,
    })),
    ...others.map((layer) => ({ ...markOf('layer', layer.digest, []), diffId: layer.diffId })),
  ];
}

/** Only where its repository has its home is an image inspected. @throws unsupported */
async function assertAllAtHome(deps: QuarantineDeps, { images }: Radius): Promise<void> {
  const digests = [...new Set(images.map((image) => image.digest))];
  const here = await imagesWithHome(deps.database.read, deps.region, digests);
  const away = images.find((image) => !here.has(image.digest));
  if (away)
    throw new LazaretError(
      'unsupported',
      `${away.repository} has its home in another region: plan reach 'image' there, or use reach 'layer'`,
      { detail: { path: 'reach', repository: away.repository } },
    );
}

/** Bytes that are themselves the harm are kept for a shorter time than a package with an advisory. */
function retentionOf(deps: QuarantineDeps, criteria: unknown): number {
  return isBytes(criteria) ? deps.retention.harmfulMs : deps.retention.packagesMs;
}

function isHarm(criteria: unknown): boolean {
  return criteria === null || isBytes(criteria);
}

function isBytes(criteria: unknown): boolean {
  return /"(?:file|secret|malware)":/.test(JSON.stringify(criteria));
}
