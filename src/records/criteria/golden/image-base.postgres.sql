select repository_manifests.manifest_id, repository_manifests.repository_id
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" = any($1::bigint[])
and repository_manifests.deleted_at is null
and "repository_manifests"."manifest_id" in (select edges.manifest_id
from edges
where edges.kind = 'layer'
and (edges.digest = $2
or edges.diff_id = $3))

select repository_manifests.manifest_id, repository_manifests.repository_id, null as layer, 'image:base' as path, null as purl, null as advisory, null as severity, null as fixed_version
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" = any($1::bigint[])
and repository_manifests.deleted_at is null
and "repository_manifests"."manifest_id" in (select edges.manifest_id
from edges
where edges.kind = 'layer'
and (edges.digest = $2
or edges.diff_id = $3))
and "repository_manifests"."manifest_id" = any($4::bigint[])
limit $5
