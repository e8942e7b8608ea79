/**
 * A planted fault is an edit of source files, made while their modules are loaded, in a process that does nothing but
 * simulate; nothing of it is in the product. A fault whose text is no longer in its file is an error, so that none goes
 * blind.
 */
import { registerHooks } from 'node:module';
import { type Edit, faults } from './faults.ts';

/** From now on the modules of this process are loaded with the fault in them. @throws when its text is not there */
export function plantFault(name: string): void {
  const planted = faults.find((each) => each.name === name);
  if (!planted)
    throw new Error(`no fault '${name}'; there are: ${faults.map((each) => each.name).join(', ')}`);
  const root = new URL('../../', import.meta.url);
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const edits = planted.edits.filter((edit) => new URL(edit.file, root).href === url);
      if (edits.length === 0 || loaded.source === undefined || loaded.source === null) return loaded;
      const source = loaded.source.toString();
      return { ...loaded, source: edits.reduce((text, edit) => applyEdit(text, edit), source) };
    },
  });
}

/** @throws when the text is not there, or twice */
export function applyEdit(text: string, { file, find, put }: Edit): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${file} has not, or not once: ${find}`);
  return parts.join(put);
}
