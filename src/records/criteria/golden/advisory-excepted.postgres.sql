select manifest_id, null as repository_id, severity
from (select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where "findings"."verdict" in ('affected')
and findings.severity in ('high', 'critical')
and (findings.package_id, findings.advisory_id) not in (select excepted.package_id, excepted.advisory_id
from unnest($2::bigint[], $3::bigint[]) as "excepted" ("package_id", "advisory_id")) group by found.manifest_id) as everywhere union all select manifest_id, repository_id, max(severity)
from (select found.manifest_id, coalesce(repositories.id, 0) as repository_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
from unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) as "excepted" ("package_id", "advisory_id", "manifest_id", "place", "exception") cross
join (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($9::bigint[])) as found cross
join findings cross
join advisories left
join repository_manifests on repository_manifests.manifest_id = found.manifest_id
and repository_manifests.deleted_at is null
and repository_manifests.withdrawn_at is null left
join repositories on repositories.id = repository_manifests.repository_id
where found.package_id = excepted.package_id
and findings.package_id = excepted.package_id
and findings.advisory_id = excepted.advisory_id
and findings.until is null
and advisories.id = excepted.advisory_id
and advisories.withdrawn_at is null
and "findings"."verdict" in ('affected')
and findings.severity in ('high', 'critical') group by found.manifest_id, repositories.id, found.package_id, findings.advisory_id having max(case when (excepted.manifest_id in (0, found.manifest_id)
and (excepted.place in (0, repositories.id)
or -excepted.place = repositories.account_id)) then 1 else 0 end) = 0) as placed group by manifest_id, repository_id

select manifest_id, null as repository_id, severity
from (select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where findings.severity in ('high', 'critical', 'unknown')
and "findings"."verdict" in ('unknown')
and (findings.package_id, findings.advisory_id) not in (select excepted.package_id, excepted.advisory_id
from unnest($2::bigint[], $3::bigint[]) as "excepted" ("package_id", "advisory_id")) group by found.manifest_id) as everywhere union all select manifest_id, repository_id, max(severity)
from (select found.manifest_id, coalesce(repositories.id, 0) as repository_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
from unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) as "excepted" ("package_id", "advisory_id", "manifest_id", "place", "exception") cross
join (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($9::bigint[])) as found cross
join findings cross
join advisories left
join repository_manifests on repository_manifests.manifest_id = found.manifest_id
and repository_manifests.deleted_at is null
and repository_manifests.withdrawn_at is null left
join repositories on repositories.id = repository_manifests.repository_id
where found.package_id = excepted.package_id
and findings.package_id = excepted.package_id
and findings.advisory_id = excepted.advisory_id
and findings.until is null
and advisories.id = excepted.advisory_id
and advisories.withdrawn_at is null
and findings.severity in ('high', 'critical', 'unknown')
and "findings"."verdict" in ('unknown') group by found.manifest_id, repositories.id, found.package_id, findings.advisory_id having max(case when (excepted.manifest_id in (0, found.manifest_id)
and (excepted.place in (0, repositories.id)
or -excepted.place = repositories.account_id)) then 1 else 0 end) = 0) as placed group by manifest_id, repository_id

select manifest_id, null as repository_id, severity
from (select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where "findings"."verdict" in ('affected', 'unknown')
and findings.severity in ('unknown')
and (findings.package_id, findings.advisory_id) not in (select excepted.package_id, excepted.advisory_id
from unnest($2::bigint[], $3::bigint[]) as "excepted" ("package_id", "advisory_id")) group by found.manifest_id) as everywhere union all select manifest_id, repository_id, max(severity)
from (select found.manifest_id, coalesce(repositories.id, 0) as repository_id, max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) as severity
from unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) as "excepted" ("package_id", "advisory_id", "manifest_id", "place", "exception") cross
join (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($9::bigint[])) as found cross
join findings cross
join advisories left
join repository_manifests on repository_manifests.manifest_id = found.manifest_id
and repository_manifests.deleted_at is null
and repository_manifests.withdrawn_at is null left
join repositories on repositories.id = repository_manifests.repository_id
where found.package_id = excepted.package_id
and findings.package_id = excepted.package_id
and findings.advisory_id = excepted.advisory_id
and findings.until is null
and advisories.id = excepted.advisory_id
and advisories.withdrawn_at is null
and "findings"."verdict" in ('affected', 'unknown')
and findings.severity in ('unknown') group by found.manifest_id, repositories.id, found.package_id, findings.advisory_id having max(case when (excepted.manifest_id in (0, found.manifest_id)
and (excepted.place in (0, repositories.id)
or -excepted.place = repositories.account_id)) then 1 else 0 end) = 0) as placed group by manifest_id, repository_id

select distinct found.manifest_id, coalesce(repositories.id, 0) as repository_id, excepted.exception
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) as "excepted" ("package_id", "advisory_id", "manifest_id", "place", "exception") cross
join (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($6::bigint[])) as found cross
join findings cross
join advisories left
join repository_manifests on repository_manifests.manifest_id = found.manifest_id
and repository_manifests.deleted_at is null
and repository_manifests.withdrawn_at is null left
join repositories on repositories.id = repository_manifests.repository_id
where found.package_id = excepted.package_id
and findings.package_id = excepted.package_id
and findings.advisory_id = excepted.advisory_id
and findings.until is null
and advisories.id = excepted.advisory_id
and advisories.withdrawn_at is null
and findings.severity in ('high', 'critical', 'unknown')
and (excepted.manifest_id in (0, found.manifest_id)
and (excepted.place in (0, repositories.id)
or -excepted.place = repositories.account_id))

select hit.manifest_id, hit.repository_id, blobs.digest as layer, paths.path, packages.purl, hit.advisory, hit.flaw, hit.severity, hit.fixed_version, hit.since
from (select manifest_id, null as repository_id, package_id, blob_id, path_id, advisory, flaw, severity, fixed_version, since
from (select found.*, advisories.advisory_id as advisory, advisories.flaw, findings.severity, findings.fixed_version, findings.since
from (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($1::bigint[])) as found
join findings on findings.package_id = found.package_id
and findings.until is null
join advisories on advisories.id = findings.advisory_id
and advisories.withdrawn_at is null
where "findings"."verdict" in ('affected')
and findings.severity in ('high', 'critical')
and "found"."manifest_id" = any($2::bigint[])
and (findings.package_id, findings.advisory_id) not in (select excepted.package_id, excepted.advisory_id
from unnest($3::bigint[], $4::bigint[]) as "excepted" ("package_id", "advisory_id"))
limit $5) as everywhere union all select *
from (select found.manifest_id, coalesce(repositories.id, 0) as repository_id, found.package_id, found.blob_id, found.path_id, advisories.advisory_id as advisory, advisories.flaw, findings.severity, findings.fixed_version, findings.since
from unnest($6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[]) as "excepted" ("package_id", "advisory_id", "manifest_id", "place", "exception") cross
join (select manifest_id, package_id, blob_id, path_id
from image_packages
where "manifest_id" = any($11::bigint[])) as found cross
join findings cross
join advisories left
join repository_manifests on repository_manifests.manifest_id = found.manifest_id
and repository_manifests.deleted_at is null
and repository_manifests.withdrawn_at is null left
join repositories on repositories.id = repository_manifests.repository_id
where found.package_id = excepted.package_id
and findings.package_id = excepted.package_id
and findings.advisory_id = excepted.advisory_id
and findings.until is null
and advisories.id = excepted.advisory_id
and advisories.withdrawn_at is null
and "findings"."verdict" in ('affected')
and findings.severity in ('high', 'critical')
and "found"."manifest_id" = any($12::bigint[]) group by found.manifest_id, repositories.id, found.package_id, findings.advisory_id, found.blob_id, found.path_id, advisories.advisory_id, advisories.flaw, findings.severity, findings.fixed_version, findings.since having max(case when (excepted.manifest_id in (0, found.manifest_id)
and (excepted.place in (0, repositories.id)
or -excepted.place = repositories.account_id)) then 1 else 0 end) = 0
limit $13) as placed
limit $14) as hit
join blobs on blobs.id = hit.blob_id
join paths on paths.id = hit.path_id
join packages on packages.id = hit.package_id
