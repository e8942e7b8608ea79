select images.manifest_id
from images
where images.config is not null
and "images"."manifest_id" = any($1::bigint[])
and ((("images"."config"::jsonb #>> $2::text[]) = $3
or substr(("images"."config"::jsonb #>> $4::text[]), 1, $5) = $6)
or (("images"."config"::jsonb #>> $7::text[]) = $8
or substr(("images"."config"::jsonb #>> $9::text[]), 1, $10) = $11)
or (("images"."config"::jsonb #>> $12::text[]) = $13
or substr(("images"."config"::jsonb #>> $14::text[]), 1, $15) = $16))
and ("images"."config"::jsonb #> $17::text[]) @> to_jsonb($18::text)
and ("images"."config"::jsonb #> $19::text[]) @> to_jsonb($20::text)
and ("images"."config"::jsonb #>> $21::text[]) = $22

select images.manifest_id, null as layer, 'config:user,port,env,label' as path, null as purl, null as advisory, null as severity, null as fixed_version
from images
where images.config is not null
and "images"."manifest_id" = any($1::bigint[])
and ((("images"."config"::jsonb #>> $2::text[]) = $3
or substr(("images"."config"::jsonb #>> $4::text[]), 1, $5) = $6)
or (("images"."config"::jsonb #>> $7::text[]) = $8
or substr(("images"."config"::jsonb #>> $9::text[]), 1, $10) = $11)
or (("images"."config"::jsonb #>> $12::text[]) = $13
or substr(("images"."config"::jsonb #>> $14::text[]), 1, $15) = $16))
and ("images"."config"::jsonb #> $17::text[]) @> to_jsonb($18::text)
and ("images"."config"::jsonb #> $19::text[]) @> to_jsonb($20::text)
and ("images"."config"::jsonb #>> $21::text[]) = $22
and "images"."manifest_id" = any($23::bigint[])
limit $24
