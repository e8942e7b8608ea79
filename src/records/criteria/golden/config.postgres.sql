select images.manifest_id
from images
where images.config is not null
and "images"."manifest_id" in (7)
and ((("images"."config"::jsonb #>> $1::text[]) = $2
or substr(("images"."config"::jsonb #>> $3::text[]), 1, $4) = $5)
or (("images"."config"::jsonb #>> $6::text[]) = $7
or substr(("images"."config"::jsonb #>> $8::text[]), 1, $9) = $10)
or (("images"."config"::jsonb #>> $11::text[]) = $12
or substr(("images"."config"::jsonb #>> $13::text[]), 1, $14) = $15))
and ("images"."config"::jsonb #> $16::text[]) @> to_jsonb($17::text)
and ("images"."config"::jsonb #> $18::text[]) @> to_jsonb($19::text)
and ("images"."config"::jsonb #>> $20::text[]) = $21

select images.manifest_id, null as layer, 'config:user,port,env,label' as path, null as purl, null as advisory, null as severity, null as fixed_version
from images
where images.config is not null
and "images"."manifest_id" in (7)
and ((("images"."config"::jsonb #>> $1::text[]) = $2
or substr(("images"."config"::jsonb #>> $3::text[]), 1, $4) = $5)
or (("images"."config"::jsonb #>> $6::text[]) = $7
or substr(("images"."config"::jsonb #>> $8::text[]), 1, $9) = $10)
or (("images"."config"::jsonb #>> $11::text[]) = $12
or substr(("images"."config"::jsonb #>> $13::text[]), 1, $14) = $15))
and ("images"."config"::jsonb #> $16::text[]) @> to_jsonb($17::text)
and ("images"."config"::jsonb #> $18::text[]) @> to_jsonb($19::text)
and ("images"."config"::jsonb #>> $20::text[]) = $21
and "images"."manifest_id" in (7)
limit $22
