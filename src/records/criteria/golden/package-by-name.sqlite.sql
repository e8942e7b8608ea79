select distinct found.manifest_id
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" in (7)) as found
where "found"."package_id" in (1)

select hit.manifest_id, blobs.digest as layer, paths.path, packages.purl, null as advisory, null as severity, null as fixed_version
from (select *
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" in (7)) as found
where "found"."package_id" in (1)
and "found"."manifest_id" in (7)
limit +?) as hit
join blobs on blobs.id = hit.blob_id
join paths on paths.id = hit.path_id
join packages on packages.id = hit.package_id
