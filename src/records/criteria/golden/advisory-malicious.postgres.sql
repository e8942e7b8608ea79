select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where "findings"."verdict" in ('affected')
and advisories.published_at >= $2
and (advisories.advisory_id like 'MAL-%'
or exists (select 1
from advisory_aliases
where advisory_aliases.advisory_id = advisories.id
and advisory_aliases.alias like 'MAL-%')) group by found.manifest_id

select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where (advisories.published_at >= $2
or advisories.published_at is null)
and (advisories.advisory_id like 'MAL-%'
or exists (select 1
from advisory_aliases
where advisory_aliases.advisory_id = advisories.id
and advisory_aliases.alias like 'MAL-%'))
and "findings"."verdict" in ('unknown') group by found.manifest_id

select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where "findings"."verdict" in ('affected', 'unknown')
and (advisories.advisory_id like 'MAL-%'
or exists (select 1
from advisory_aliases
where advisory_aliases.advisory_id = advisories.id
and advisory_aliases.alias like 'MAL-%'))
and advisories.published_at is null group by found.manifest_id

select hit.manifest_id, blobs.digest as layer, paths.path, packages.purl, hit.advisory, hit.flaw, hit.severity, hit.fixed_version, hit.since
from (select found.*, advisories.advisory_id as advisory, advisories.flaw, findings.severity, findings.fixed_version, findings.since
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where "findings"."verdict" in ('affected')
and advisories.published_at >= $2
and (advisories.advisory_id like 'MAL-%'
or exists (select 1
from advisory_aliases
where advisory_aliases.advisory_id = advisories.id
and advisory_aliases.alias like 'MAL-%'))
and "found"."manifest_id" = any($3::bigint[])
limit $4) as hit
join blobs on blobs.id = hit.blob_id
join paths on paths.id = hit.path_id
join packages on packages.id = hit.package_id
