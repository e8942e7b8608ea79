select distinct edges.manifest_id
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
and not exists (select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.path_id = "layer_files"."path_id" union all select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest cross
join (with recursive above (path) as ( select rtrim(rtrim("paths"."path", replace("paths"."path", '/', '')), '/')
where paths.path != '' union all select rtrim(rtrim("above"."path", replace("above"."path", '/', '')), '/')
from above
where above.path != '') select folder_entries.id
from above cross
join folders cross
join folder_entries
where folders.path = rtrim("above"."path", replace("above"."path", '/', ''))
and folder_entries.folder_id = folders.id
and folder_entries.name = substr(above.path, length(folders.path) + 1)) as upper_folders cross
join layer_files as upper_files
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.blob_id = upper_blobs.id
and upper_files.path_id = upper_folders.id
and upper_files.kind != 'directory')
and layer_files.kind in ('file', 'hardlink', 'link', 'device')
and (substr("layer_files"."sha256", 1, 6) = $3
and "layer_files"."sha256" = $4) union all select distinct edges.manifest_id
from (select distinct each_member.holder_id
from (select archive_files.archive_id as holder_id, archive_paths.folder || archive_paths.name as path
from archive_files
join archive_paths on archive_paths.id = archive_files.path_id
where archive_files.sha256 = $5 union all select archive_nestings.archive_id as holder_id, archive_nestings.path || '!/' || archive_paths.folder || archive_paths.name as path
from archive_files
join archive_paths on archive_paths.id = archive_files.path_id
join archive_nestings on archive_nestings.nested_id = archive_files.archive_id
where archive_files.sha256 = $6) as each_member) as member cross
join archives cross
join layer_files
join paths on paths.id = "layer_files"."path_id"
join blobs on blobs.id = "layer_files"."blob_id"
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where "layer_files"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($7::bigint[])))
and edges.manifest_id + 0 = any($8::bigint[])
and not exists (select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.path_id = "layer_files"."path_id" union all select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest cross
join (with recursive above (path) as ( select rtrim(rtrim("paths"."path", replace("paths"."path", '/', '')), '/')
where paths.path != '' union all select rtrim(rtrim("above"."path", replace("above"."path", '/', '')), '/')
from above
where above.path != '') select folder_entries.id
from above cross
join folders cross
join folder_entries
where folders.path = rtrim("above"."path", replace("above"."path", '/', ''))
and folder_entries.folder_id = folders.id
and folder_entries.name = substr(above.path, length(folders.path) + 1)) as upper_folders cross
join layer_files as upper_files
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.blob_id = upper_blobs.id
and upper_files.path_id = upper_folders.id
and upper_files.kind != 'directory')
and archives.id = member.holder_id
and substr(layer_files.sha256, 1, 6) = substr(archives.sha256, 1, 6)
and layer_files.sha256 = archives.sha256

select hit.manifest_id, count(*) as rows
from (select *
from (select edges.manifest_id
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
and not exists (select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.path_id = "layer_files"."path_id" union all select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest cross
join (with recursive above (path) as ( select rtrim(rtrim("paths"."path", replace("paths"."path", '/', '')), '/')
where paths.path != '' union all select rtrim(rtrim("above"."path", replace("above"."path", '/', '')), '/')
from above
where above.path != '') select folder_entries.id
from above cross
join folders cross
join folder_entries
where folders.path = rtrim("above"."path", replace("above"."path", '/', ''))
and folder_entries.folder_id = folders.id
and folder_entries.name = substr(above.path, length(folders.path) + 1)) as upper_folders cross
join layer_files as upper_files
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.blob_id = upper_blobs.id
and upper_files.path_id = upper_folders.id
and upper_files.kind != 'directory')
and layer_files.kind in ('file', 'hardlink', 'link', 'device')
and (substr("layer_files"."sha256", 1, 6) = $3
and "layer_files"."sha256" = $4) union all select edges.manifest_id
from (select distinct each_member.holder_id
from (select archive_files.archive_id as holder_id, archive_paths.folder || archive_paths.name as path
from archive_files
join archive_paths on archive_paths.id = archive_files.path_id
where archive_files.sha256 = $5 union all select archive_nestings.archive_id as holder_id, archive_nestings.path || '!/' || archive_paths.folder || archive_paths.name as path
from archive_files
join archive_paths on archive_paths.id = archive_files.path_id
join archive_nestings on archive_nestings.nested_id = archive_files.archive_id
where archive_files.sha256 = $6) as each_member) as member cross
join archives cross
join layer_files
join paths on paths.id = "layer_files"."path_id"
join blobs on blobs.id = "layer_files"."blob_id"
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where "layer_files"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($7::bigint[])))
and edges.manifest_id + 0 = any($8::bigint[])
and not exists (select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.path_id = "layer_files"."path_id" union all select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest cross
join (with recursive above (path) as ( select rtrim(rtrim("paths"."path", replace("paths"."path", '/', '')), '/')
where paths.path != '' union all select rtrim(rtrim("above"."path", replace("above"."path", '/', '')), '/')
from above
where above.path != '') select folder_entries.id
from above cross
join folders cross
join folder_entries
where folders.path = rtrim("above"."path", replace("above"."path", '/', ''))
and folder_entries.folder_id = folders.id
and folder_entries.name = substr(above.path, length(folders.path) + 1)) as upper_folders cross
join layer_files as upper_files
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.blob_id = upper_blobs.id
and upper_files.path_id = upper_folders.id
and upper_files.kind != 'directory')
and archives.id = member.holder_id
and substr(layer_files.sha256, 1, 6) = substr(archives.sha256, 1, 6)
and layer_files.sha256 = archives.sha256) as found_row
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
and not exists (select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.path_id = "layer_files"."path_id" union all select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest cross
join (with recursive above (path) as ( select rtrim(rtrim("paths"."path", replace("paths"."path", '/', '')), '/')
where paths.path != '' union all select rtrim(rtrim("above"."path", replace("above"."path", '/', '')), '/')
from above
where above.path != '') select folder_entries.id
from above cross
join folders cross
join folder_entries
where folders.path = rtrim("above"."path", replace("above"."path", '/', ''))
and folder_entries.folder_id = folders.id
and folder_entries.name = substr(above.path, length(folders.path) + 1)) as upper_folders cross
join layer_files as upper_files
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.blob_id = upper_blobs.id
and upper_files.path_id = upper_folders.id
and upper_files.kind != 'directory')
and layer_files.kind in ('file', 'hardlink', 'link', 'device')
and (substr("layer_files"."sha256", 1, 6) = $3
and "layer_files"."sha256" = $4)
and "layer_files"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($5::bigint[])))
and edges.manifest_id + 0 = any($6::bigint[]) union all select edges.manifest_id, blobs.digest as layer, paths.path || '!/' || member.path as path, null as purl, null as advisory, null as severity, null as fixed_version
from (select archive_files.archive_id as holder_id, archive_paths.folder || archive_paths.name as path
from archive_files
join archive_paths on archive_paths.id = archive_files.path_id
where archive_files.sha256 = $7 union all select archive_nestings.archive_id as holder_id, archive_nestings.path || '!/' || archive_paths.folder || archive_paths.name as path
from archive_files
join archive_paths on archive_paths.id = archive_files.path_id
join archive_nestings on archive_nestings.nested_id = archive_files.archive_id
where archive_files.sha256 = $8) as member cross
join archives cross
join layer_files
join paths on paths.id = "layer_files"."path_id"
join blobs on blobs.id = "layer_files"."blob_id"
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where "layer_files"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($9::bigint[])))
and edges.manifest_id + 0 = any($10::bigint[])
and not exists (select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.path_id = "layer_files"."path_id" union all select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest cross
join (with recursive above (path) as ( select rtrim(rtrim("paths"."path", replace("paths"."path", '/', '')), '/')
where paths.path != '' union all select rtrim(rtrim("above"."path", replace("above"."path", '/', '')), '/')
from above
where above.path != '') select folder_entries.id
from above cross
join folders cross
join folder_entries
where folders.path = rtrim("above"."path", replace("above"."path", '/', ''))
and folder_entries.folder_id = folders.id
and folder_entries.name = substr(above.path, length(folders.path) + 1)) as upper_folders cross
join layer_files as upper_files
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.blob_id = upper_blobs.id
and upper_files.path_id = upper_folders.id
and upper_files.kind != 'directory')
and archives.id = member.holder_id
and substr(layer_files.sha256, 1, 6) = substr(archives.sha256, 1, 6)
and layer_files.sha256 = archives.sha256
and "layer_files"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($11::bigint[])))
and edges.manifest_id + 0 = any($12::bigint[])
limit $13
