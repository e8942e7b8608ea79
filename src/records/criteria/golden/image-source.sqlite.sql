select repository_manifests.manifest_id, repository_manifests.repository_id
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" in (7)
and repository_manifests.deleted_at is null
and coalesce(json_extract("manifests"."annotations", +?), json_extract("images"."config", +?)) in (select wanted.text
from (select value as text
from json_each(+?)) as wanted)
and coalesce(json_extract("manifests"."annotations", +?), json_extract("images"."config", +?)) = +?

select repository_manifests.manifest_id, repository_manifests.repository_id, null as layer, 'image:source,revision' as path, null as purl, null as advisory, null as severity, null as fixed_version
from repository_manifests
join images on images.manifest_id = repository_manifests.manifest_id
join manifests on manifests.id = repository_manifests.manifest_id
where "repository_manifests"."manifest_id" in (7)
and repository_manifests.deleted_at is null
and coalesce(json_extract("manifests"."annotations", +?), json_extract("images"."config", +?)) in (select wanted.text
from (select value as text
from json_each(+?)) as wanted)
and coalesce(json_extract("manifests"."annotations", +?), json_extract("images"."config", +?)) = +?
and "repository_manifests"."manifest_id" in (7)
limit +?
