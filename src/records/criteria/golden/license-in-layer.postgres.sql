select distinct found.manifest_id
from (select edges.manifest_id, layer_packages.package_id, layer_packages.blob_id, layer_packages.path_id
from layer_packages
join blobs on blobs.id = layer_packages.blob_id
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where "layer_packages"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($1::bigint[])))
and edges.manifest_id + 0 = any($2::bigint[])) as found
where found.package_id = any($3::bigint[])

select hit.manifest_id, count(*) as rows
from (select *
from (select found.manifest_id
from (select edges.manifest_id, layer_packages.package_id, layer_packages.blob_id, layer_packages.path_id
from layer_packages
join blobs on blobs.id = layer_packages.blob_id
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where "layer_packages"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($1::bigint[])))
and edges.manifest_id + 0 = any($2::bigint[])) as found
where found.package_id = any($3::bigint[])) as found_row
limit 20) as hit group by hit.manifest_id
limit 10

select images.manifest_id
from images
where "images"."manifest_id" = any($1::bigint[])
and exists (select 1
from edges
join blobs on blobs.digest = edges.digest
join layer_packages as found on found.blob_id = blobs.id
join packages on packages.id = found.package_id
where edges.kind = 'layer'
and edges.manifest_id = images.manifest_id
and (packages.spdx is null
or packages.id in (select packages.id
from packages
where packages.spdx = any($2::text[]))))

select hit.manifest_id, blobs.digest as layer, paths.path, packages.purl, null as advisory, null as severity, null as fixed_version
from (select *
from (select edges.manifest_id, layer_packages.package_id, layer_packages.blob_id, layer_packages.path_id
from layer_packages
join blobs on blobs.id = layer_packages.blob_id
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where "layer_packages"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($1::bigint[])))
and edges.manifest_id + 0 = any($2::bigint[])) as found
where found.package_id + 0 = any($3::bigint[])
and "found"."manifest_id" = any($4::bigint[])
limit $5) as hit
join blobs on blobs.id = hit.blob_id
join paths on paths.id = hit.path_id
join packages on packages.id = hit.package_id
