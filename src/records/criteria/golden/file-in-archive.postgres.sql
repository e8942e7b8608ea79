select distinct edges.manifest_id
from layer_files
join blobs on blobs.id = "layer_files"."blob_id"
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where "layer_files"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($1::bigint[])))
and edges.manifest_id + 0 = any($2::bigint[])
and layer_files.kind in ('file', 'hardlink', 'link', 'device')
and 1 = 0

select hit.manifest_id, count(*) as rows
from (select *
from (select edges.manifest_id
from layer_files
join blobs on blobs.id = "layer_files"."blob_id"
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where "layer_files"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($1::bigint[])))
and edges.manifest_id + 0 = any($2::bigint[])
and layer_files.kind in ('file', 'hardlink', 'link', 'device')
and 1 = 0) as found_row
limit 20) as hit group by hit.manifest_id
limit 10

select edges.manifest_id, blobs.digest as layer, paths.path as path, null as purl, null as advisory, null as severity, null as fixed_version
from layer_files
join paths on paths.id = "layer_files"."path_id"
join blobs on blobs.id = "layer_files"."blob_id"
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where "layer_files"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($1::bigint[])))
and edges.manifest_id + 0 = any($2::bigint[])
and layer_files.kind in ('file', 'hardlink', 'link', 'device')
and 1 = 0
and "layer_files"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($3::bigint[])))
and edges.manifest_id + 0 = any($4::bigint[])
limit $5
