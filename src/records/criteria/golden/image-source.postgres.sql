select repository_manifests.manifest_id, repository_manifests.repository_id
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" = any($1::bigint[])
and repository_manifests.deleted_at is null
and coalesce(("manifests"."annotations"::jsonb #>> $2::text[]), ("images"."config"::jsonb #>> $3::text[])) in (select wanted.text
from unnest($4::text[]) as wanted (text))
and coalesce(("manifests"."annotations"::jsonb #>> $5::text[]), ("images"."config"::jsonb #>> $6::text[])) = $7

select repository_manifests.manifest_id, repository_manifests.repository_id, null as layer, 'image:source,revision' as path, null as purl, null as advisory, null as severity, null as fixed_version
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" = any($1::bigint[])
and repository_manifests.deleted_at is null
and coalesce(("manifests"."annotations"::jsonb #>> $2::text[]), ("images"."config"::jsonb #>> $3::text[])) in (select wanted.text
from unnest($4::text[]) as wanted (text))
and coalesce(("manifests"."annotations"::jsonb #>> $5::text[]), ("images"."config"::jsonb #>> $6::text[])) = $7
and "repository_manifests"."manifest_id" = any($8::bigint[])
limit $9
