select images.manifest_id
from images
where images.config is not null
and "images"."manifest_id" in (7)
and ((json_extract("images"."config", +?) = +?
or substr(json_extract("images"."config", +?), 1, +?) = +?)
or (json_extract("images"."config", +?) = +?
or substr(json_extract("images"."config", +?), 1, +?) = +?)
or (json_extract("images"."config", +?) = +?
or substr(json_extract("images"."config", +?), 1, +?) = +?))
and exists (select 1
from json_each("images"."config", +?) as item
where item.value = +?)
and exists (select 1
from json_each("images"."config", +?) as item
where item.value = +?)
and json_extract("images"."config", +?) = +?

select images.manifest_id, null as layer, 'config:user,port,env,label' as path, null as purl, null as advisory, null as severity, null as fixed_version
from images
where images.config is not null
and "images"."manifest_id" in (7)
and ((json_extract("images"."config", +?) = +?
or substr(json_extract("images"."config", +?), 1, +?) = +?)
or (json_extract("images"."config", +?) = +?
or substr(json_extract("images"."config", +?), 1, +?) = +?)
or (json_extract("images"."config", +?) = +?
or substr(json_extract("images"."config", +?), 1, +?) = +?))
and exists (select 1
from json_each("images"."config", +?) as item
where item.value = +?)
and exists (select 1
from json_each("images"."config", +?) as item
where item.value = +?)
and json_extract("images"."config", +?) = +?
and "images"."manifest_id" in (7)
limit +?
