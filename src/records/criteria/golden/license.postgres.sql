select distinct found.manifest_id
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
where found.package_id = any($2::bigint[])

select hit.manifest_id, count(*) as rows
from (select *
from (select found.manifest_id
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
where found.package_id = any($2::bigint[])) as found_row
limit 20) as hit group by hit.manifest_id
limit 10

select images.manifest_id
from images
where "images"."manifest_id" = any($1::bigint[])
and exists (select 1
from image_packages as found
join packages on packages.id = found.package_id
where found.manifest_id = images.manifest_id
and (packages.spdx is null
or packages.id in (select packages.id
from packages
where packages.spdx = any($2::text[]))))

select hit.manifest_id, blobs.digest as layer, paths.path, packages.purl, null as advisory, null as severity, null as fixed_version
from (select *
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
where found.package_id + 0 = any($2::bigint[])
and "found"."manifest_id" = any($3::bigint[])
limit $4) as hit
join blobs on blobs.id = hit.blob_id
join paths on paths.id = hit.path_id
join packages on packages.id = hit.package_id
