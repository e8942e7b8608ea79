select repository_manifests.manifest_id, repository_manifests.repository_id
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" = any($1::bigint[])
and repository_manifests.deleted_at is null
and "repository_manifests"."pushed_at" >= $2
and coalesce(repository_manifests.last_pulled_at, "repository_manifests"."pushed_at") <= $3
and "images"."created_at" <= $4

select repository_manifests.manifest_id, repository_manifests.repository_id
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" = any($1::bigint[])
and repository_manifests.deleted_at is null
and "repository_manifests"."pushed_at" >= $2
and coalesce(repository_manifests.last_pulled_at, "repository_manifests"."pushed_at") <= $3
and images.created_at is null

select repository_manifests.manifest_id, repository_manifests.repository_id, null as layer, 'image:olderThan,notPulledFor,pushedAfter' as path, null as purl, null as advisory, null as severity, null as fixed_version
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" = any($1::bigint[])
and repository_manifests.deleted_at is null
and "repository_manifests"."pushed_at" >= $2
and coalesce(repository_manifests.last_pulled_at, "repository_manifests"."pushed_at") <= $3
and "images"."created_at" <= $4
and "repository_manifests"."manifest_id" = any($5::bigint[])
limit $6
