select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
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
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where "findings"."verdict" in ('affected')
and findings.severity in ('high', 'critical') group by found.manifest_id

select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
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
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where findings.severity in ('high', 'critical', 'unknown')
and "findings"."verdict" in ('unknown') group by found.manifest_id

select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
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
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where "findings"."verdict" in ('affected', 'unknown')
and findings.severity in ('unknown') group by found.manifest_id

select hit.manifest_id, blobs.digest as layer, paths.path, packages.purl, hit.advisory, hit.flaw, hit.severity, hit.fixed_version, hit.since
from (select found.*, advisories.advisory_id as advisory, advisories.flaw, findings.severity, findings.fixed_version, findings.since
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
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where "findings"."verdict" in ('affected')
and findings.severity in ('high', 'critical')
and "found"."manifest_id" = any($3::bigint[])
limit $4) as hit
join blobs on blobs.id = hit.blob_id
join paths on paths.id = hit.path_id
join packages on packages.id = hit.package_id
