select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where "findings"."verdict" in ('affected')
and findings.fixed_version is not null
and findings.advisory_id in (select named.id
from advisories as named
where named.advisory_id = $2 union all select advisory_aliases.advisory_id
from advisory_aliases
where advisory_aliases.alias = $3 union all select named.id
from advisories as named
where named.flaw = $4 union all select named.id
from advisories as one cross
join advisories as named
where one.advisory_id = $5
and named.flaw = one.flaw) group by found.manifest_id

select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where (findings.fixed_version is not null
or findings.verdict = 'unknown')
and findings.advisory_id in (select named.id
from advisories as named
where named.advisory_id = $2 union all select advisory_aliases.advisory_id
from advisory_aliases
where advisory_aliases.alias = $3 union all select named.id
from advisories as named
where named.flaw = $4 union all select named.id
from advisories as one cross
join advisories as named
where one.advisory_id = $5
and named.flaw = one.flaw)
and "findings"."verdict" in ('unknown') group by found.manifest_id

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
and findings.fixed_version is not null
and findings.advisory_id in (select named.id
from advisories as named
where named.advisory_id = $2 union all select advisory_aliases.advisory_id
from advisory_aliases
where advisory_aliases.alias = $3 union all select named.id
from advisories as named
where named.flaw = $4 union all select named.id
from advisories as one cross
join advisories as named
where one.advisory_id = $5
and named.flaw = one.flaw)
and "found"."manifest_id" = any($6::bigint[])
limit $7) as hit
join blobs on blobs.id = hit.blob_id
join paths on paths.id = hit.path_id
join packages on packages.id = hit.package_id
