import { type RawBuilder, sql } from 'kysely';

/** A later layer of the same image. */
const upperLayers = sql`edges as upper_edges join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest`;
const isUpper = sql`upper_edges.manifest_id = edges.manifest_id and upper_edges.kind = 'layer'
    and upper_edges.position > edges.position`;

/**
 * What hides a path of the layer in `edges` from its image (oci/layer-stack.ts): a later layer that has it again, or has
 * anything but a folder in the place of one above it. The folders are told from the text in `paths.path`, each once for
 * a path and layer, and looked up by index; so that costs the more the deeper a path lies, and nothing in the last layer.
 */
export function hiddenAbove(pathId: string): RawBuilder<unknown> {
  return sql`select 1 from ${upperLayers}
  join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
  where ${isUpper} and upper_files.path_id = ${sql.ref(pathId)}
  union all select 1 from ${upperLayers}
  cross join (with recursive above (path) as (
      select ${parent('paths.path')} where paths.path != ''
      union all select ${parent('above.path')} from above where above.path != '')
    select folder_entries.id from above cross join folders cross join folder_entries
    where folders.path = ${folder('above.path')} and folder_entries.folder_id = folders.id
      and folder_entries.name = substr(above.path, length(folders.path) + 1)) as upper_folders
  cross join layer_files as upper_files
  where ${isUpper} and upper_files.blob_id = upper_blobs.id and upper_files.path_id = upper_folders.id
    and upper_files.kind != 'directory'`;
}

/** All up to the last slash, with it. */
function folder(path: string): RawBuilder<string> {
  return sql`rtrim(${sql.ref(path)}, replace(${sql.ref(path)}, '/', ''))`;
}

function parent(path: string): RawBuilder<string> {
  return sql`rtrim(${folder(path)}, '/')`;
}
