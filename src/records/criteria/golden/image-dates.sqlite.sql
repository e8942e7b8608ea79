select repository_manifests.manifest_id, repository_manifests.repository_id
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" in (7)
and repository_manifests.deleted_at is null
and "repository_manifests"."pushed_at" >= +?
and coalesce(repository_manifests.last_pulled_at, "repository_manifests"."pushed_at") <= +?
and "images"."created_at" <= +?

select repository_manifests.manifest_id, repository_manifests.repository_id
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" in (7)
and repository_manifests.deleted_at is null
and "repository_manifests"."pushed_at" >= +?
and coalesce(repository_manifests.last_pulled_at, "repository_manifests"."pushed_at") <= +?
and images.created_at is null

select repository_manifests.manifest_id, repository_manifests.repository_id, null as layer, 'image:olderThan,notPulledFor,pushedAfter' as path, null as purl, null as advisory, null as severity, null as fixed_version
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" in (7)
and repository_manifests.deleted_at is null
and "repository_manifests"."pushed_at" >= +?
and coalesce(repository_manifests.last_pulled_at, "repository_manifests"."pushed_at") <= +?
and "images"."created_at" <= +?
and "repository_manifests"."manifest_id" in (7)
limit +?
