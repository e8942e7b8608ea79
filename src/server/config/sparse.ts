import type { Sparse, SparseRule } from '../../actions/push/sparse.ts';
import { type Field, isRecord } from '../../lib/fields.ts';
import { globMatcher } from '../../lib/globs.ts';

const words = ['refuse', 'index', 'all'] as const;

/**
 * One word for every repository; or, from glob to word, a mapping, or text as a variable holds it: `mirror/**=all,*=refuse`.
 * @throws configInvalid
 */
export function sparseOf(field: Field): readonly SparseRule[] {
  const { value } = field;
  if (isRecord(value)) return Object.keys(value).map((glob) => ruleOf(field, glob, field.member(glob)));
  const text = field.string();
  if (!text.includes('=')) return [{ repositoryGlob: '**', sparse: field.oneOf(words) }];
  return text.split(',').map((part) => {
    const at = part.lastIndexOf('=');
    return ruleOf(field, part.slice(0, Math.max(0, at)).trim(), part.slice(at + 1).trim());
  });
}

function ruleOf(field: Field, repositoryGlob: string, value: Field | string): SparseRule {
  const sparse = typeof value === 'string' ? wordOf(field, value) : value.oneOf(words);
  try {
    globMatcher(repositoryGlob);
  } catch (cause) {
    throw field.error(`'${repositoryGlob}' is not a glob`, { cause });
  }
  return { repositoryGlob, sparse };
}

function wordOf(field: Field, text: string): Sparse {
  const word = words.find((each) => each === text);
  if (word !== undefined) return word;
  throw field.error(`'${text}' is not one of ${words.join(', ')}`);
}
