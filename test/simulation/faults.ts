/** The list of planted faults: proof that the simulation finds what it is there to find. */
export interface Fault {
  readonly name: string;
  /** What is wrong then. */
  readonly meaning: string;
  readonly edits: readonly Edit[];
}

export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const fault = (
  name: string,
  meaning: string,
  ...edits: readonly (readonly [string, string, string])[]
): Fault => ({
  name,
  meaning,
  edits: edits.map(([file, find, put]) => ({ file, find, put })),
});

export const faults: readonly Fault[] = [
  fault(
    'condemn-without-recheck',
    'the collector decides by what it read before its transaction',
    [
      'src/actions/collect/review.ts',
      'const done = await database.transact(async (tx) => review(tx,',
      `const early = new Map();
    for (const { digest } of await reviewListEarly(database.read, 1000))
      early.set(digest, await blobNeedsEarly(database.read, digest, clock.wallMs()));
    const done = await database.transact(async (tx) => review(Object.assign(tx, { early }),`,
    ],
    [
      'src/actions/collect/review.ts',
      'const { needs, busy } = await unlockedBlobNeeds(',
      'const { needs, busy } = await ((given: any, asked: string[]) => ({ needs: given.early, busy: new Set(asked.filter((each) => !given.early.has(each))) }))(',
    ],
    [
      'src/actions/collect/review.ts',
      'import { type BlobNeeds, blobVerdict } from',
      "import { reviewList as reviewListEarly } from '../../records/collection/review.ts';\nimport { type BlobNeeds, blobVerdict, blobNeeds as blobNeedsEarly } from",
    ],
  ),
  fault('condemn-despite-holds', 'the collector does not look at holds', [
    'src/records/collection/blob-needs.ts',
    "return heldUntilMs === undefined ? { kind: 'free' } : { kind: 'held', untilMs: heldUntilMs };",
    "return { kind: 'free' };",
  ]),
  fault(
    'condemn-what-the-trash-needs',
    'a deleted manifest protects nothing, although a push may bring it back',
    [
      'src/records/collection/blob-needs.ts',
      'and repository_manifests.withdrawn_at is null limit 1',
      'and repository_manifests.withdrawn_at is null and repository_manifests.deleted_at is null limit 1',
    ],
  ),
  fault(
    'grace-ignored',
    'what was deleted goes at once',
    [
      'src/actions/collect/review.ts',
      'const dueAt = manifest.kept ? tx.nowMs + graceMs : manifest.deletedAt + graceMs;',
      'const dueAt = manifest.kept ? tx.nowMs + graceMs : manifest.deletedAt;',
    ],
    [
      'src/actions/collect/review.ts',
      'changedBefore: clock.wallMs() - graceMs',
      'changedBefore: clock.wallMs()',
    ],
  ),
  fault('children-not-kept', 'a deleted manifest goes although a live index names it', [
    'src/actions/collect/review.ts',
    'const dueAt = manifest.kept ? tx.nowMs + graceMs : manifest.deletedAt + graceMs;',
    'const dueAt = manifest.deletedAt + graceMs;',
  ]),
  fault(
    'bytes-before-the-row-lets-go',
    'the collector deletes bytes, then condemns',
    [
      'src/actions/collect/review.ts',
      'const done = await database.transact(',
      `for (const { digest } of kind === 'blob' ? await reviewListEarly(database.read, 1000) : []) {
      const early = await blobNeedsEarly(database.read, digest, clock.wallMs());
      const due = (await reviewOfEarly(database.read, digest))?.changedAt ?? Number.POSITIVE_INFINITY;
      if (due <= clock.wallMs() - graceMs && early?.storageKey && blobVerdict(early).kind === 'free')
        await blobsEarly.delete([early.storageKey]);
    }
    const done = await database.transact(`,
    ],
    [
      'src/actions/collect/review.ts',
      '{ database, clock, graceMs, pace = fullPace }: CollectDeps',
      '{ database, clock, graceMs, blobs: blobsEarly, pace = fullPace }: CollectDeps',
    ],
    [
      'src/actions/collect/review.ts',
      'import { type BlobNeeds, blobVerdict } from',
      "import { reviewList as reviewListEarly, reviewOf as reviewOfEarly } from '../../records/collection/review.ts';\nimport { type BlobNeeds, blobVerdict, blobNeeds as blobNeedsEarly } from",
    ],
  ),
  fault(
    'row-before-bytes',
    'an upload is published before its bytes are committed',
    [
      'src/actions/push/upload-finish.ts',
      '  await deps.blobs.commit(key);\n',
      '  if (!(seen.sha256 && seenAsked)) await deps.blobs.commit(key);\n',
    ],
    [
      'src/actions/push/upload-finish.ts',
      '    deps.digests.forget(upload.id);\n    return { digest,',
      '    await deps.blobs.commit(upload.storage_key);\n    deps.digests.forget(upload.id);\n    return { digest,',
    ],
  ),
  fault('put-of-blobs-not-live', 'a manifest is accepted although a blob that it names was condemned', [
    'src/actions/push/manifest-put.ts',
    "const here = blob?.state === 'live' && linked.has(blob.id) && digest !== unread;",
    'const here = blob !== undefined;',
  ]),
  fault(
    'put-checks-before-its-transaction',
    'whether the blobs are here is read before the transaction',
    [
      'src/actions/push/manifest-put.ts',
      '    await deps.database.transact((tx) => accept(tx, accepting));',
      `  const early = await Promise.all(blobsNamed(manifest).map(async (each) => blobInRepositoryEarly(deps.database.read, { repository: put.repository.name, digest: each.digest })));
  const complete = early.every((row) => row?.state === 'live');
  await deps.database.transact((tx) => accept(tx, accepting, complete));`,
    ],
    [
      'src/actions/push/manifest-put.ts',
      'async function accept(tx: Tx, accepting: Accepting): Promise<void> {',
      'async function accept(tx: Tx, accepting: Accepting, complete: boolean): Promise<void> {',
    ],
    [
      'src/actions/push/manifest-put.ts',
      '  await assertNamedHere(tx, {',
      '  if (!complete) await assertNamedHere(tx, {',
    ],
    [
      'src/actions/push/manifest-put.ts',
      'import { blobsLinked, blobsLocked } from',
      'import { blobInRepository as blobInRepositoryEarly, blobsLinked, blobsLocked } from',
    ],
  ),
  fault(
    'mount-of-a-condemned-blob',
    'a mount links whatever blob has a row, whether or not it is live and its source has it',
    ['src/actions/push/blob-mount.ts', '  if (!source) return undefined;\n', ''],
    [
      'src/actions/push/blob-mount.ts',
      'await blobInRepository(deps.database.read, { repository: mount.from.name, digest });',
      '(await blobInRepository(deps.database.read, { repository: mount.from.name, digest })) ?? mount.from;',
    ],
    [
      'src/actions/push/blob-mount.ts',
      "if (blob?.state !== 'live') return undefined;",
      'if (!blob) return undefined;',
    ],
    [
      'src/actions/push/blob-mount.ts',
      'if (!(await blobsLinked(tx.db, source.repository_id, [blob.id])).has(blob.id)) return undefined;',
      '',
    ],
  ),
  fault('mark-not-followed-through-an-index', 'an index of nothing but marked platforms is served', [
    'src/records/marks/door.ts',
    'if (own || content.childIds.length === 0 || depth >= limits.indexDepthMax) return own;',
    'if (own || depth < 100) return own;',
  ]),
  fault(
    'put-not-followed-through-an-index',
    'a push of an index that names what is marked below is accepted',
    [
      'src/records/catalog/edges.ts',
      "if (edge.kind === 'child' && edge.child_id !== null && !seen.has(edge.child_id))",
      'if (false as boolean)',
    ],
    [
      'src/records/catalog/edges.ts',
      '      digests.add(edge.digest);\n      if (edge.diff_id',
      '      if (edge.diff_id',
    ],
    ['src/records/catalog/edges.ts', 'if (edge.diff_id !== null) diffIds.add(edge.diff_id);', ''],
    ['src/records/catalog/edges.ts', 'if (edge.found_diff_id !== null) diffIds.add(edge.found_diff_id);', ''],
  ),
  fault('mark-binds-the-digest-only', 'another compression of a marked layer is accepted and served', [
    'src/records/marks/door.ts',
    "e.and([e('marks.target', '=', 'layer'), e('marks.diff_id', 'in', diffIds)]),",
    '',
  ]),
  fault('availability-cached', 'the door of a manifest remembers that it was open', [
    'src/actions/pull/manifest-get.ts',
    'const refusal = await refusalOfManifest(database.read, scope, manifest.id);',
    `const seen: Map<string, number> = ((globalThis as any).opened ??= new Map());
  const remembered = scope.repository + manifest.digest + manifest.id;
  const refusal = seen.has(remembered) ? undefined : await refusalOfManifest(database.read, scope, manifest.id);
  if (refusal === undefined) seen.set(remembered, 1);`,
  ]),
  fault('availability-kept-past-its-head', 'an open manifest is remembered although the log has gone on', [
    'src/records/log/answers-at-head.ts',
    'if (head > this.#head) {',
    'this.#head = Math.max(this.#head, head);\n    if (this.#answers.size > 1000) {',
  ]),
  fault(
    'door-asked-before-the-transaction',
    'an upload is closed by what the door said when it began',
    [
      'src/actions/push/upload-finish.ts',
      '  if (named) await restoreManifests(tx, { repository, blob, actor: upload.principal });\n  await assertBlobOpen(tx, repository, blob);',
      '  if (named) await restoreManifests(tx, { repository, blob, actor: upload.principal });',
    ],
    [
      'src/actions/push/upload-finish.ts',
      '  const stored = await storeBytes(deps, upload, end);',
      `  assertOpen(await refusalOfContent(deps.database.read, { repository: end.repository.name, account: upload.account }, { digests: [end.digest], diffIds: [] }));
  const stored = await storeBytes(deps, upload, end);`,
    ],
  ),
  fault(
    'older-version-applied',
    'a quarantine is overwritten by an older version of itself',
    ['src/records/marks/quarantines.ts', 'if (here && here.version >= quarantine.version) return false;', ''],
    [
      'src/actions/replicate/follow.ts',
      'const cursors = await regionCursors(deps.database.read, link.region);',
      'const cursors = { ...(await regionCursors(deps.database.read, link.region)), quarantine: 0 };',
    ],
    [
      'src/records/regions/regions.ts',
      ".where(cursor, '<', position)",
      ".where((e) => lane === 'quarantine' ? e.lit(true) : e(cursor, '<', position))",
    ],
    [
      'src/records/log/log.ts',
      'export async function logKeepFollowed(',
      'export async function logKeepFollowed(..._: any[]) {}\nexport async function logKeepFollowedBefore(',
    ],
  ),
  fault('cursor-before-rows', 'the cursor of a lane moves in a transaction of its own, before the rows', [
    'src/actions/replicate/lane-applier.ts',
    `    await database.transact(async (tx) => {
      if (!(await regionAdvance(tx, this.#peer, { lane, position: event.position }))) return;
      const data`,
    `    if (!(await database.transact((tx) => regionAdvance(tx, this.#peer, { lane, position: event.position })))) return;
    await database.transact(async (tx) => {
      const data`,
  ]),
  fault(
    'acknowledged-before-commit',
    'a quarantine is acknowledged while it is still being written',
    ['src/actions/quarantine/apply.ts', '    await quarantineApply(tx, made);\n', ''],
    [
      'src/actions/quarantine/apply.ts',
      '  await keepNote(deps.blobs, quarantine);\n  return quarantine;',
      '  void deps.database.transact((tx) => quarantineApply(tx, quarantine)).catch(() => {});\n  await keepNote(deps.blobs, quarantine);\n  return quarantine;',
    ],
  ),
  fault('acknowledged-before-the-note', 'a quarantine is acknowledged before its note is in the blob store', [
    'src/actions/quarantine/apply.ts',
    '  await keepNote(deps.blobs, quarantine);\n',
    '  void keepNote(deps.blobs, quarantine).catch(() => {});\n',
  ]),
  fault('sweep-of-the-present-key', 'the sweep deletes what the digest is stored under now', [
    'src/records/collection/sweep.ts',
    "  const rows = await db\n    .selectFrom('condemned_keys')\n    .selectAll()",
    "  const rows = await db\n    .selectFrom('condemned_keys').leftJoin('blobs', 'blobs.id', 'condemned_keys.blob_id')\n    .select((e) => ['blob_id', 'condemned_at', 'condemned_keys.size_bytes', e.fn.coalesce('blobs.storage_key', 'condemned_keys.storage_key').as('storage_key')])",
  ]),
  fault('key-used-again', 'a digest that is pushed again gets the key that waits for the sweep', [
    'src/records/catalog/blobs.ts',
    '  const { sha256, sha512, sizeBytes, storageKey } = stored;\n',
    `  const waiting = await tx.db.selectFrom('condemned_keys').innerJoin('blobs', 'blobs.id', 'condemned_keys.blob_id')
    .select('condemned_keys.storage_key').where('blobs.digest', '=', stored.sha256).where('blobs.state', '=', 'condemned').executeTakeFirst();
  if (waiting) {
    await tx.db.deleteFrom('condemned_keys').where('storage_key', '=', waiting.storage_key).execute();
    await tx.db.insertInto('condemned_keys').values({ storage_key: stored.storageKey, blob_id: 0, size_bytes: 0, condemned_at: tx.nowMs }).execute();
  }
  const { sha256, sha512, sizeBytes } = stored;
  const storageKey = waiting?.storage_key ?? stored.storageKey;
`,
  ]),
  fault('failed-upload-keeps-its-bytes', 'an upload that ends badly does not let go of its key', [
    'src/actions/push/upload.ts',
    '    await condemnedKeyAdd(tx, { storageKey: upload.storage_key, blobId: 0, sizeBytes });\n',
    '',
  ]),
  fault(
    'second-copy-keeps-its-bytes',
    'an upload of a digest that is there already does not let go of its key',
    [
      'src/records/catalog/blobs.ts',
      'if (!revive) await condemnedKeyAdd(tx, { storageKey, blobId: row.id, sizeBytes });',
      '',
    ],
  ),
  fault(
    'release-forgotten-by-the-collector',
    'the retention of a released quarantine still ends',
    [
      'src/records/collection/expired-marks.ts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: so the source has it
      'where quarantines.released_at is null and quarantines.legal_hold = 0 and quarantines.retain_until <= ${nowMs}\n      and repository_manifests.withdrawn_at is null',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: so the source has it
      'where quarantines.legal_hold = 0 and quarantines.retain_until <= ${nowMs}\n      and repository_manifests.withdrawn_at is null',
    ],
    // It is asked again under the lock.
    ['src/records/marks/keeps.ts', '|| quarantine.releasedAt !== null ', ''],
  ),
  fault('kept-by-no-quarantine', 'the collector does not ask whether a quarantine keeps what it marks', [
    'src/records/collection/blob-needs.ts',
    '  const kept = await quarantinesKeeping(db, { digests: names, nowMs });',
    '  const kept: any[] = [];',
  ]),
  fault(
    'withdrawn-although-another-quarantine-stands',
    'the end of one retention takes images out that another quarantine keeps',
    [
      'src/actions/collect/expire-marks.ts',
      '    if (await blobKeptIn(tx.db, { digest: layer.digest, repository, nowMs: tx.nowMs })) continue;\n',
      '',
    ],
    [
      'src/actions/collect/expire-marks.ts',
      '  if (await manifestKeptIn(tx.db, { ...expired, nowMs: tx.nowMs })) return false;\n',
      '',
    ],
  ),
  fault(
    'lease-counted-from-the-answer',
    'an agent counts a lease from when the answer came, not from when it asked',
    ['src/agent/agent.ts', '        const asked = this.#leases.now();\n', ''],
    [
      'src/agent/agent.ts',
      '        await this.#hear(answer, asked);',
      '        await this.#hear(answer, this.#leases.now());',
    ],
  ),
  fault('keeper-not-told', 'the keeper of a container is not told of its lease', [
    'src/agent/leases.ts',
    '    await this.#options.runtime.keepLease(uid, kept);',
    '    void kept;',
  ]),
];
