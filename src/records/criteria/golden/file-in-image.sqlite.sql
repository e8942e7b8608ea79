select distinct edges.manifest_id
from layer_files
join paths on paths.id = layer_files.path_id
join blobs on blobs.id = layer_files.blob_id
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where "edges"."manifest_id" in (7)
and layer_files.kind in ('file', 'hardlink', 'link', 'device')
and layer_files.sha256 = ?
and not exists (select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
join paths as upper_paths on upper_paths.id = upper_files.path_id
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and (upper_files.path_id = "layer_files"."path_id"
or (upper_files.kind in ('whiteout', 'opaque')
and substr(paths.path, 1, length(upper_paths.path) + 1) = upper_paths.path || '/')))

-- none

select edges.manifest_id, blobs.digest as layer, paths.path, null as purl, null as advisory, null as severity, null as fixed_version
from layer_files
join paths on paths.id = layer_files.path_id
join blobs on blobs.id = layer_files.blob_id
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where "edges"."manifest_id" in (7)
and layer_files.kind in ('file', 'hardlink', 'link', 'device')
and layer_files.sha256 = ?
and not exists (select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
join paths as upper_paths on upper_paths.id = upper_files.path_id
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and (upper_files.path_id = "layer_files"."path_id"
or (upper_files.kind in ('whiteout', 'opaque')
and substr(paths.path, 1, length(upper_paths.path) + 1) = upper_paths.path || '/')))
and "edges"."manifest_id" in (7)
limit ?
