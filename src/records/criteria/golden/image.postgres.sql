select repository_manifests.manifest_id, repository_manifests.repository_id
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" = any($1::bigint[])
and repository_manifests.deleted_at is null
and 1 = 0
and exists (select 1
from tags
where tags.repository_id = repository_manifests.repository_id
and (tags.manifest_id = repository_manifests.manifest_id
or tags.manifest_id in (select edges.manifest_id
from edges
where edges.digest = manifests.digest
and edges.kind = 'child'))
and tags.name in (select wanted.text
from unnest($2::text[]) as wanted (text)))
and (manifests.platform = $3
or substr(manifests.platform, 1, $4) = $5)
and repository_manifests.pushed_by = $6
and ("images"."config"::jsonb #>> $7::text[]) is not null

select repository_manifests.manifest_id, repository_manifests.repository_id, null as layer, 'image:repository,tag,label,platform,pushedBy' as path, null as purl, null as advisory, null as severity, null as fixed_version
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" = any($1::bigint[])
and repository_manifests.deleted_at is null
and 1 = 0
and exists (select 1
from tags
where tags.repository_id = repository_manifests.repository_id
and (tags.manifest_id = repository_manifests.manifest_id
or tags.manifest_id in (select edges.manifest_id
from edges
where edges.digest = manifests.digest
and edges.kind = 'child'))
and tags.name in (select wanted.text
from unnest($2::text[]) as wanted (text)))
and (manifests.platform = $3
or substr(manifests.platform, 1, $4) = $5)
and repository_manifests.pushed_by = $6
and ("images"."config"::jsonb #>> $7::text[]) is not null
and "repository_manifests"."manifest_id" = any($8::bigint[])
limit $9
