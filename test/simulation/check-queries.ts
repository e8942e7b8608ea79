/** What the checks read of a region's rows. */
export const needs = `select distinct repositories.name as repository, accounts.name as account,
    repositories.home_region as home, manifests.digest as manifest, edges.digest, blobs.state
  from repository_manifests
  join repositories on repositories.id = repository_manifests.repository_id
  join accounts on accounts.id = repositories.account_id
  join manifests on manifests.id = repository_manifests.manifest_id
  join edges on edges.manifest_id = manifests.id and edges.kind in ('config', 'layer')
  left join blobs on blobs.digest = edges.digest
  where repository_manifests.withdrawn_at is null`;

export const inService = `select repositories.name as repository, repositories.home_region as home, manifests.digest
  from repository_manifests
  join repositories on repositories.id = repository_manifests.repository_id
  join manifests on manifests.id = repository_manifests.manifest_id
  where repository_manifests.withdrawn_at is null and repository_manifests.deleted_at is null`;

export const tagsSet = `select repositories.name as repository, repositories.home_region as home, tags.name, manifests.digest
  from tags join repositories on repositories.id = tags.repository_id
  join manifests on manifests.id = tags.manifest_id`;

export const blobsServed = `select repositories.name as repository, blobs.digest from blob_links
  join repositories on repositories.id = blob_links.repository_id
  join blobs on blobs.id = blob_links.blob_id where blobs.state = 'live'`;

export const expiredMarks = `select quarantines.scope_account, marks.target, marks.digest, marks.diff_id, marks.repository_glob
  from quarantines join marks on marks.quarantine_id = quarantines.id
  where quarantines.released_at is null and quarantines.retain_until <= ?`;

export const keptByQuarantines = `select quarantines.uid, quarantines.name, blobs.digest, blobs.state,
    (quarantines.scope_account is null or exists (select 1 from blob_links
      join repositories on repositories.id = blob_links.repository_id
      join accounts on accounts.id = repositories.account_id
      where blob_links.blob_id = blobs.id and accounts.name = quarantines.scope_account)) as inScope
  from quarantines
  join marks on marks.quarantine_id = quarantines.id and marks.target = 'layer'
  join blobs on blobs.digest = marks.digest
    or blobs.id in (select inspections.blob_id from inspections where inspections.diff_id = marks.diff_id)
  where quarantines.released_at is null and (quarantines.legal_hold = 1 or quarantines.retain_until > ?)`;

export const marksKeeping = `select quarantines.uid, quarantines.name, quarantines.scope_account as account, marks.digest,
    marks.repository_glob as repository
  from quarantines join marks on marks.quarantine_id = quarantines.id
  where marks.target != 'layer' and quarantines.released_at is null
    and (quarantines.legal_hold = 1 or quarantines.retain_until > ?)`;

export const manifestsOfHome = `select repositories.name as repository, manifests.digest,
    (repository_manifests.withdrawn_at is not null) as withdrawn
  from repositories join repository_manifests on repository_manifests.repository_id = repositories.id
  join manifests on manifests.id = repository_manifests.manifest_id
  where repositories.home_region = ?`;

export const unneeded = `select digest from blobs where state = 'live'
  and not exists (select 1 from edges
    join repository_manifests on repository_manifests.manifest_id = edges.manifest_id
    where edges.digest = blobs.digest and edges.kind in ('config', 'layer')
      and repository_manifests.withdrawn_at is null)
  and not exists (select 1 from holds where holds.digest = blobs.digest and holds.expires_at is null)
  and not exists (select 1 from quarantines join marks on marks.quarantine_id = quarantines.id
    where quarantines.released_at is null and quarantines.legal_hold = 1 and (marks.digest = blobs.digest
      or marks.diff_id in (select inspections.diff_id from inspections where inspections.blob_id = blobs.id)))`;

export const missing = `select distinct blobs.digest from repository_manifests
  join edges on edges.manifest_id = repository_manifests.manifest_id and edges.kind in ('config', 'layer')
  join blobs on blobs.digest = edges.digest
  where repository_manifests.withdrawn_at is null and repository_manifests.deleted_at is null
    and blobs.state = 'remote'
    and not exists (select 1 from quarantines where quarantines.released_at is null)`;

export const deleted = `select repositories.name as repository, manifests.digest, repository_manifests.deleted_at,
    exists (select 1 from edges
      join repository_manifests as above on above.manifest_id = edges.manifest_id
      where edges.digest = manifests.digest and edges.kind = 'child' and above.deleted_at is null
        and above.repository_id = repository_manifests.repository_id) as needed
  from repository_manifests
  join repositories on repositories.id = repository_manifests.repository_id
  join manifests on manifests.id = repository_manifests.manifest_id`;
