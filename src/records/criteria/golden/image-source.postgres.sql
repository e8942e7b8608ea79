select repository_manifests.manifest_id, repository_manifests.repository_id
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" in (7)
and repository_manifests.deleted_at is null
and coalesce(("manifests"."annotations"::jsonb #>> $1::text[]), ("images"."config"::jsonb #>> $2::text[])) in (select wanted.text
from unnest($3::text[]) as wanted (text))
and coalesce(("manifests"."annotations"::jsonb #>> $4::text[]), ("images"."config"::jsonb #>> $5::text[])) = $6

select repository_manifests.manifest_id, repository_manifests.repository_id, null as layer, 'image:source,revision' as path, null as purl, null as advisory, null as severity, null as fixed_version
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" in (7)
and repository_manifests.deleted_at is null
and coalesce(("manifests"."annotations"::jsonb #>> $1::text[]), ("images"."config"::jsonb #>> $2::text[])) in (select wanted.text
from unnest($3::text[]) as wanted (text))
and coalesce(("manifests"."annotations"::jsonb #>> $4::text[]), ("images"."config"::jsonb #>> $5::text[])) = $6
and "repository_manifests"."manifest_id" in (7)
limit $7
