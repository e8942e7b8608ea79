select distinct edges.manifest_id
from layer_secrets as found
join paths on paths.id = "found"."path_id"
join blobs on blobs.id = "found"."blob_id"
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where found.fingerprint = $1
and found.key_version = 1
and "found"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($2::bigint[])))
and edges.manifest_id + 0 = any($3::bigint[])
and 1 = 0
and not exists (select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.path_id = "found"."path_id" union all select 1
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
and upper_files.kind != 'directory') union all select distinct found.manifest_id
from image_secrets as found
where found.fingerprint = $4
and found.key_version = 1
and "found"."manifest_id" = any($5::bigint[])
and 1 = 0

select hit.manifest_id, count(*) as rows
from (select *
from (select edges.manifest_id
from layer_secrets as found
join paths on paths.id = "found"."path_id"
join blobs on blobs.id = "found"."blob_id"
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where found.fingerprint = $1
and found.key_version = 1
and "found"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($2::bigint[])))
and edges.manifest_id + 0 = any($3::bigint[])
and 1 = 0
and not exists (select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.path_id = "found"."path_id" union all select 1
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
and upper_files.kind != 'directory') union all select found.manifest_id
from image_secrets as found
where found.fingerprint = $4
and found.key_version = 1
and "found"."manifest_id" = any($5::bigint[])
and 1 = 0) as found_row
limit 20) as hit group by hit.manifest_id
limit 10

select distinct edges.manifest_id
from inspections , blobs , edges
where blobs.id = inspections.blob_id
and edges.digest = blobs.digest
and edges.kind = 'layer'
and inspections.state = 'done'
and inspections.secrets_read = 0
and "edges"."manifest_id" = any($1::bigint[])

select edges.manifest_id, blobs.digest as layer, paths.path, null as purl, null as advisory, null as severity, null as fixed_version, found.kind as secret, found.line
from layer_secrets as found
join paths on paths.id = "found"."path_id"
join blobs on blobs.id = "found"."blob_id"
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where found.fingerprint = $1
and found.key_version = 1
and "found"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($2::bigint[])))
and edges.manifest_id + 0 = any($3::bigint[])
and 1 = 0
and not exists (select 1
from edges as upper_edges
join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
where upper_edges.manifest_id = edges.manifest_id
and upper_edges.kind = 'layer'
and upper_edges.position > edges.position
and upper_files.path_id = "found"."path_id" union all select 1
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
and "found"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($4::bigint[])))
and edges.manifest_id + 0 = any($5::bigint[]) union all select found.manifest_id, null, found.place, null, null, null, null, found.kind, null
from image_secrets as found
where found.fingerprint = $6
and found.key_version = 1
and "found"."manifest_id" = any($7::bigint[])
and 1 = 0
and "found"."manifest_id" = any($8::bigint[])
limit $9
