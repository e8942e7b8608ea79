select repository_manifests.manifest_id, repository_manifests.repository_id
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" in (7)
and repository_manifests.deleted_at is null
and "repository_manifests"."manifest_id" in (select edges.manifest_id
from edges
where edges.kind = 'layer'
and (edges.digest = +?
or edges.diff_id = +?))

select repository_manifests.manifest_id, repository_manifests.repository_id, null as layer, 'image:base' as path, null as purl, null as advisory, null as severity, null as fixed_version
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" in (7)
and repository_manifests.deleted_at is null
and "repository_manifests"."manifest_id" in (select edges.manifest_id
from edges
where edges.kind = 'layer'
and (edges.digest = +?
or edges.diff_id = +?))
and "repository_manifests"."manifest_id" in (7)
limit +?
