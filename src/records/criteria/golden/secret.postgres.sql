select distinct edges.manifest_id
from layer_secrets as found
join blobs on blobs.id = "found"."blob_id"
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where found.kind in ('aws-access-key', 'aws-secret-key')
and "found"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($1::bigint[])))
and edges.manifest_id + 0 = any($2::bigint[]) union all select distinct found.manifest_id
from image_secrets as found
where found.kind in ('aws-access-key', 'aws-secret-key')
and "found"."manifest_id" = any($3::bigint[])

select hit.manifest_id, count(*) as rows
from (select *
from (select edges.manifest_id
from layer_secrets as found
join blobs on blobs.id = "found"."blob_id"
join edges on edges.digest = blobs.digest
and edges.kind = 'layer'
where found.kind in ('aws-access-key', 'aws-secret-key')
and "found"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($1::bigint[])))
and edges.manifest_id + 0 = any($2::bigint[]) union all select found.manifest_id
from image_secrets as found
where found.kind in ('aws-access-key', 'aws-secret-key')
and "found"."manifest_id" = any($3::bigint[])) as found_row
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
where found.kind in ('aws-access-key', 'aws-secret-key')
and "found"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($1::bigint[])))
and edges.manifest_id + 0 = any($2::bigint[])
and "found"."blob_id" = any(array(select own_blobs.id
from edges as own_edges
join blobs as own_blobs on own_blobs.digest = own_edges.digest
where own_edges.kind = 'layer'
and "own_edges"."manifest_id" = any($3::bigint[])))
and edges.manifest_id + 0 = any($4::bigint[]) union all select found.manifest_id, null, found.place, null, null, null, null, found.kind, null
from image_secrets as found
where found.kind in ('aws-access-key', 'aws-secret-key')
and "found"."manifest_id" = any($5::bigint[])
and "found"."manifest_id" = any($6::bigint[])
limit $7
